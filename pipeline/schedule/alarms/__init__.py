"""Looking whether an edition can leave before it has to, and telling its editors.

In: an edition, the minutes to its slot, what answers: workers, Redis, the disk, the relay.
Out: a Check for each mark, a letter when a draft is ready, a letter when something is red, one to whoever is asked to work here.
Owns: the marks, what is looked at, who is told.
Never: changes an edition, stops one, waits for a server longer than a few seconds, tells the same thing twice.
Promise: a mark nobody looked at is a row that says so; an alarm that fails delays no edition.
"""
