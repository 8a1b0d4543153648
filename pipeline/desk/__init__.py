"""The editors' door: what needs a person, what happens by itself, and why.

In: a signed-in user's look or act. Out: pages in plain words; calls into the rooms that own what is changed.
Owns: the words for every state, the throttle at the door; no table.
Never: decides what an edition holds, changes a row itself, acts on a GET, lets a script or style stand in a page.
Promise: every state is shown with its reason, and every button says what it will do before it does it.
"""
