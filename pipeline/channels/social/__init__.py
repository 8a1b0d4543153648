"""The adapters of X, Mastodon, Bluesky and Agora, the pretend network: one file each.

In: the keys of one account, and a Message for it.
Out: where it is now, or one of the errors of channels/base.py.
Owns: what each network says and how it says it: signatures, facets, records, limits in headers.
Never: tries again by itself, sleeps, follows a redirect, stores a key.
Promise: the suite in tests/contracts holds for each; what may be live is never called absent.
"""
