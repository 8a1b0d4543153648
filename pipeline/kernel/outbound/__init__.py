"""Every request we make of other people's servers.

In: an address, limits in bytes and seconds.
Out: a whole answer, or a refusal in words.
Owns: the guard against private addresses.
Never: decodes more than was allowed, follows where it was not asked to, reads proxies from the environment.
Promise: no address of ours can be reached through an address of theirs.
"""
