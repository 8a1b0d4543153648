"""Behind the desk: every table as it is, for administrators who look for what went wrong.

In: a signed-in administrator. Out: rows listed, found and shown; a few settings changed.
Owns: the list of what may be changed here.
Never: signs anybody in, adds or deletes a row, shows a secret, counts a table to its end.
Promise: every change stands in the journal with what it was before.
"""
