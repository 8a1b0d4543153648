"""The only doors to other people's servers: mail and social networks.

In: a Message or an Envelope, and the credentials to send it with.
Out: a Receipt, or one of four errors that say what is known.
Owns: protocols, limits and prices of each network (facts.py).
Never: knows a database row, decides whether something should be sent.
Promise: an outcome that is not known is said to be unknown, never guessed.
"""
