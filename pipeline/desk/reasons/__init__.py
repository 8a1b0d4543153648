"""Why, in a sentence: the one place where codes with their parameters become English.

In: a code, what it was kept with, and a newsletter's clock. Out: sentences.
Owns: the sentence of every code the rooms set; no table.
Never: raises for a code nobody knows, for an old row has to stay readable.
Promise: no page shows a code where a sentence belongs; tests/desk/reasons read the rooms' sources for codes without one.
"""
