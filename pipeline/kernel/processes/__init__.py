"""Programs that are ours to start and to stop: the embedded engines, and everything `dateline up` keeps running.

In: a data directory, command lines.
Out: running processes, tethered to whoever started them.
Owns: the lock on the data directory, the sockets in it.
Never: outlives its owner, touches an engine it did not start.
Promise: a run after kill -9 mends what it finds.
"""
