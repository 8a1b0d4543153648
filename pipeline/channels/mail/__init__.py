"""Handing over mail: to a relay, to the readers' own servers, or to a provider.

In: envelopes of one batch, as the merge makes them; what each group of servers lets us do.
Out: a receipt for each, and what was learnt about each group's patience.
Owns: the SMTP engine, its replies and its pace, the way to a domain's servers, signatures.
Never: reads or writes a row, guesses what a lost connection meant, punishes a reader for what is our fault.
Promise: the journal hears of a final dot before the server can; one receipt for every envelope taken.
"""
