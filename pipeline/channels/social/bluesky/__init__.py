"""Bluesky: posts as records under names of our own, on the account's server (PDS).

In: the keys of one account, and a Message for it.
Out: the address of the record, or one of the errors of channels/base.py.
Owns: facets by byte, the record and its name, the XRPC line and what its errors mean.
Never: logs in by itself, writes over a record, leaves an offset to the server.
Promise: a retry is byte-identical and can only meet itself; `getRecord` is the proof.
"""
