"""The house for programs: newsletters and their days, sources, brakes, one reader by address, the journal, today.

In: a newsletter's, a source's number; a brake's kind; a reader's exact address. Out: rows, and the acts of their rooms.
Owns: nothing.
Never: lists readers, writes an address into an answer that did not ask for it, shows a secret.
Promise: what stands still says since when, by whom and why.
"""
