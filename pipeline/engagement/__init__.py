"""What readers really did.

In: packed records from the tracking door, by way of the stream.
Out: events with verdicts and rule ids; counts by article, minute and channel.
Owns: Origin, Link, Event, Tally, Reading, Report, Response, Door, Poison.
Never: ranks, redirects, or forgets why something was not counted.
Promise: every acknowledged event is applied exactly once; the tallies equal a recount of the events.
"""
