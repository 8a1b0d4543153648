"""What Dateline would have announced, held or ignored, had it watched a site whose answers somebody recorded.

In: a folder of numbered HTTP answers: feeds, REST posts, sitemaps, pages, errors.
Out: one verdict for each article, with the gate that gave it.
Owns: how recordings are read, and a source in memory that goes through them at the recorded times.
Never: fetches, stores, asks the time; has a rule of its own where articles/ has one.
Promise: the gates, names and likeness are those of the live system, so what a rehearsal holds is held in earnest.
"""
