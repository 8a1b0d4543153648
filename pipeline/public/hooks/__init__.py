"""Doors for other people's machines: sites that have news, providers that know what became of a mail.

In: pings, webhooks and hub deliveries by POST; the token in the address and a signature are the authority.
Out: a hint to look, a row of feedback; thanks.
Owns: nothing.
Never: uses cookies, changes anything by GET, tells a stranger whether a token exists.
Promise: what is repeated does nothing twice, and what was not signed does nothing at all.
"""
