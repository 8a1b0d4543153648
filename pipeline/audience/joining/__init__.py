"""Joining: from an address somebody typed to a reader who proved it theirs.

In: what a form, an embedded form or a site's own script sent; the token of a letter.
Out: a Confirmation for delivery to mail; a subscription that lives.
Owns: Confirmation.
Never: tells whether an address is known, mails anybody, keeps a token or a whole network address.
Promise: nobody is a recipient without a POST from a letter to the address itself; a token works once.
"""
