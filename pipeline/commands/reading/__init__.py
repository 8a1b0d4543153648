"""Verbs that read what others wrote: feeds, pages, recorded answers, bounces, posts, hits.

In: files, standard input, a network's name.
Out: one JSON object a line; warnings for what is ill-formed.
Owns: nothing.
Never: needs a database, Django or the network.
Promise: the same input gives the same lines.
"""
