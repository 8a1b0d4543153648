"""Verbs that connect Dateline to others: sites to watch, programs to tell, accounts, ways out for mail.

In: addresses and files with credentials.
Out: rows, secrets shown once.
Owns: nothing.
Never: prints a credential it was given.
Promise: the same command again changes nothing or renews a secret.
"""
