"""One SMTP connection: what is said on it, and the socket it is said over.

In: envelopes as a run gives them, the octets a server sends.
Out: groups of octets to write, a receipt for each envelope.
Owns: the dialogue from greeting to QUIT, TLS, patience.
Never: chooses a server, a pace or the next envelope.
Promise: says a message was accepted only if its own answer said so, and unknown only once its last octet had left.
"""
