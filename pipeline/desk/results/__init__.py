"""What came of an edition once it left: in a sentence, by place, by time, beside its like, and to take away.

In: a signed-in user's look. Out: pages, charts with a table beside each, CSV and JSON.
Owns: the words and the floor below which a number of readers is not told.
Never: reads an event, tells fewer than FLOOR readers of one place apart, takes an opened picture for a reader.
Promise: what was counted and what was not stand on one page with the reason; a page and its exports hold the same numbers.
"""
