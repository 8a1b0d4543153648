"""The sites we watch, at the desk: how each is, a new one added, one told whole, and the brake on telling.

In: an address; the rows of sources and what the gates counted. Out: pages in plain words; calls into the rooms that own what is changed.
Owns: the sentences for a source's health. Never: adds what a person was not shown; says "no news" of a site that fails.
Promise: a stale source is called stale with the time and the reason; whoever adds one sees first what was found.
"""
