"""Editions for programs: what is in them and why, what people decide about them, what becomes of the mail.

In: an edition's number; with every act on its contents the revision the program looked at.
Out: rows with codes and parameters, findings, the rendered message, progress and results; the acts of the editions room.
Owns: nothing; editions, delivery and engagement do.
Never: decides what is in an edition, waits until a worker has composed it again.
Promise: an act on an edition that changed meanwhile is a conflict, and the answer holds the edition as it is now.
"""
