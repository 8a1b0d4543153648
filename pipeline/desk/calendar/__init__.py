"""When newsletters leave, when they do not, and what each would carry.

In: a signed-in user's look; a day skipped or given back, a pause, an end, settings and blocks as typed, with a reason.
Out: the weeks ahead as an agenda and as iCal, one newsletter in sentences with its next five runs, also as they would be.
Owns: nothing; schedule/calendar and schedule/newsletters act.
Never: moves or ends anything by itself, hides a day off, keeps what was only tried.
Promise: every departure ahead stands on the page with its clock, and every day without one with its reason.
"""
