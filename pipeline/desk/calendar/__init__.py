"""When newsletters leave, when they do not, and what each would carry.

In: a signed-in user's look; a day skipped or given back, a pause, an end, with a reason.
Out: the weeks ahead as an agenda, one newsletter in sentences with its next five runs.
Owns: nothing; schedule/calendar acts.
Never: moves or ends anything by itself, hides a day off.
Promise: every departure ahead stands on the page with its clock, and every day without one with its reason.
"""
