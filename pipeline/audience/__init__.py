"""Readers: who they are to us, what they asked for, and that leaving means leaving.

In: sign-ups, imports, one-click posts, bounces that count.
Out: the recipients of a topic; a suppression.
Owns: Topic, Subscriber, Subscription, Consent, Suppression, Confirmation, Import, ImportFault, Interest, Segment.
Never: knows an edition or a click.
Promise: leaving one topic touches no other; a suppressed address is never offered as a recipient.
"""
