"""One reader's copy of an edition: which of its blocks and stories, with whose links, as which bytes.

In: an edition's frozen rendering, what its readers follow, what they already had this week.
Out: envelopes and messages; the same message as a page.
Owns: no row.
Never: compiles a design for one reader, submits, knows what a mail server answered.
Promise: a reader's page in the browser is that reader's message; every copy is made of what an editor approved.
"""
