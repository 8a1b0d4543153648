"""An edition in the hands of several: what was changed and taken back, who is at it, what else could be in it, what it will be.

In: an edition's number, the acts of its editors, words to look for, a letter's signed link.
Out: the list of changes with undo and redo, who is here, stories to add, the letter as a reader's, a decision.
Owns: nothing.
Never: decides by a GET; shows an act without a name; overwrites what its editor has not seen.
Promise: whatever was changed can be seen, and taken back until it is approved.
"""
