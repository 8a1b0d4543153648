"""What people do to an edition.

In: an editor's decision, with the revision it was made on.
Out: an edition approved, taken back, skipped, rewritten, rearranged; an alert raised.
Owns: who may do what, when it is too late, how often readers may be alarmed.
Never: overwrites what its editor has not seen; sends.
Promise: every act is in the journal, or it did not happen.
"""
