"""The public archive: what was sent, for whoever has no copy of their own.

In: plain requests, from people, feed readers and search engines.
Out: lists of editions, the web view of each, RSS and a sitemap; 304 to who has it.
Owns: nothing.
Never: shows an edition that has not wholly left, a newsletter that is not archived, any reader's link or picture,
       or the words of a story that was withdrawn since.
Promise: an edition stands where it stood, with what was corrected in it above it.
"""
