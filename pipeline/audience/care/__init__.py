"""What the desk does for one reader.

In: a part of an address; a person of the desk, an act and a reason.
Out: readers found, in bounded time; a suppression laid or lifted, a subscription ended, each in the journal.
Owns: nothing of its own.
Never: subscribes anybody, lifts what only the reader may lift, searches longer than its patience.
Promise: every act names who did it and why.
"""
