"""What is kept of what readers did, how long, and what of it is told.

In: events with their verdicts.
Out: a report for every origin; days without names; days removed.
Owns: Report, Horizon.
Never: decides a verdict, or changes a count by forgetting.
Promise: a report equals a recount of its events; forgetting and removing change no number that was told.
"""
