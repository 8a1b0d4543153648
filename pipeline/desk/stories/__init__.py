"""What came in and what was said about it, as the desk lists it.

In: articles and posts with their codes. Out: rows of plain data with reasons in words; a person's release of a held article.
Owns: nothing. Never: links to an address that is not of the web. Promise: every row says where it is in, or why it is not.
"""
