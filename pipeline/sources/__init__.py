"""What news sites say is new, seen as often as we like.

In: sites that agreed to be watched, and the bytes their feeds, sitemaps and hints answer with.
Out: entries and observations.
Owns: Source, Channel, Observation; how a feed is read and how often a site is asked.
Never: decides that an article is news, announces, trusts what a hint says.
Promise: looking twice changes nothing; no input breaks reading, it is only named unusable.
"""
