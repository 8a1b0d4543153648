"""Whether a domain is set up to send: what DNS should say of it, what it does say, and the record that mends it.

In: what we send as, from where and signed by what; answers of name servers and of the relay.
Out: rows of expected against found, each with the exact record to publish where one is missing.
Owns: how SPF, DKIM, DMARC, reverse names and MX are read.
Never: changes a record, calls a name missing that could not be looked up.
Promise: what is not known is said to be unknown, and fails nothing else.
"""
