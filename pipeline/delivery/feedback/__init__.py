"""What comes back: returned mail, complaints and providers' events, and what each does to its delivery and reader.

In: raw mail from a mailbox, webhook bodies, answers of servers while we were connected.
Out: Feedback rows; deliveries bounced or complained; suppressions.
Owns: Feedback, Mailbox.
Never: believes a return path without its MAC; suppresses a reader for what may be our own fault.
Promise: one event is one row however often and in whatever order it is told, and its effects happen once with it.
"""
