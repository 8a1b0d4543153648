"""From an empty house to the first digest in an editor's own mailbox.

In: a signed-in user's look, or one step's form.
Out: what is done and what is missing, in the order it is needed; a test digest with the server's answer.
Owns: nothing; every step is what the rows say.
Never: remembers progress of its own, lets a password come back to a page.
Promise: each step can be left and found again as it stands, and none of them mails a reader.
"""
