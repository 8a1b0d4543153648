"""How things work here, for programs: settings, blocks, new newsletters, designs, the way we count, who may do what.

In: what a program wants, with the mark, version or reason it takes. Out: rows, sentences, what a change would mean.
Owns: nothing; the rooms below act, as for the desk.
Never: keeps what was only tried, writes over what the program has not seen.
Promise: it is for those who decide at the desk too, and stands in the journal with the token's name.
"""
