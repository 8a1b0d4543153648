"""Posts and what is done about them, each placed once on its network.

In: a post that is due or in doubt, the account's adapter.
Out: the post placed, answered, edited or removed, with what the network said; proof and people's responses.
Owns: Part, Charge (with posts).
Never: decides what is said, or repeats a call whose outcome is not known.
Promise: intent and charge are committed before the call; an unclear answer is read back, never blindly repeated.
"""
