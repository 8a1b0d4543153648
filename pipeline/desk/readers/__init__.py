"""Readers at the desk: one of them, many by a rule, lists of them coming in and going out.

In: an address or a part of it; an act with its reason; a rule typed as conditions; a file.
Out: a reader's choices and all that happened with them; a segment; an import and its progress; files to keep.
Owns: nothing.
Never: shows an address to whoever does not act for readers, lifts what only the reader may lift, deletes without a preview.
Promise: what leaves the house, what is erased and what is changed stands in the journal with who and why.
"""
