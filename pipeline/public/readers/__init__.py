"""The readers' own pages: joining, confirming, choosing.

In: forms of ours and of other people's pages, JSON from a site's script, links from our letters.
Out: pages in the reader's language; wishes, confirmations and choices handed to the audience.
Owns: nothing.
Never: changes anything by GET, sets a cookie, says whether an address is known.
Promise: every refusal says what happened, what was kept and what to do; one answer for every address.
"""
