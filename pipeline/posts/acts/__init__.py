"""What people and bulletins do to posts.

In: an editor's decision about a post; a story's correction, retraction, kill or disappearance.
Out: posts approved, held, cancelled; acts about live posts as rows of the same table; the ledger of what is still wrong.
Owns: nothing.
Never: calls a network.
Promise: after a stop commits nothing leaves; what is wrong and live is on the list until it is not.
"""
