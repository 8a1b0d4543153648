"""Between what was seen and what may be told.

In: articles as they were read, and what is known of their source.
Out: eligible, archived, held or duplicate, with the gate that said so; what is announced, once.
Owns: the gates in order, their counters, holds and their release, the settle time, the global stop.
Never: lets a clock lift an embargo, announces twice, or lets the first of a burst slip away before its tail is seen.
Promise: a re-import, a renamed GUID or a restored backup mails nobody.
"""
