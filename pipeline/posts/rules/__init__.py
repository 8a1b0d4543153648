"""What an account may say, how often and when. Pure.

In: an account's rules as JSON, a story, what the account has said and is about to say.
Out: wanted or not, breaking or not, the instant it may leave and the reason for the wait.
Owns: nothing.
Never: asks the database or the clock, or calls a network.
Promise: no instant it gives is before the embargo, in quiet hours, under the gap or over a cap; a typo is an error.
"""
