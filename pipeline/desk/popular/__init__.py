"""Most Popular as editors see it: every place with its reason, what was filtered, and how we count.

In: a signed-in user's look; a pin, a ban, an end, another method, with a reason.
Out: the four lists with counted and filtered clicks, the hands laid on them, the method in sentences.
Owns: nothing; ranking acts.
Never: shows a count without what was filtered beside it.
Promise: what bends the list stands on the page with a name, a reason and an end.
"""
