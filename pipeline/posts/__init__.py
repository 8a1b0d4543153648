"""Headlines for social accounts, in each network's own measure.

In: an eligible article, an account, the account's template.
Out: posts whose text fits its network, with the reason for every word that was left out.
Owns: Account, Post, Variant.
Never: calls a network, decides when, cuts a link.
Promise: what the editor saw is what is posted; a text that would be refused is never offered.
"""
