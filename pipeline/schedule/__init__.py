"""When things leave.

In: cadences in a newsroom's own zone, the clock as an argument, what is ready.
Out: editions planned for their slots, releases that are due, a decision about those that are late.
Owns: slots, days off, quiet hours, lateness, what is looked at before a slot.
Never: writes to a reader, freezes an audience, sleeps until a time.
Promise: a wall-clock time stays a wall-clock time through every change of offset; every slot that passes leaves a row.
"""
