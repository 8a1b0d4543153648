"""What came in and what was said about it, as the desk tells it: lists, one story whole, and what is held.

In: articles and posts with their codes; a person's release, discard or kill. Out: rows of plain data with reasons in words.
Owns: nothing. Never: links to an address that is not of the web; decides about more stories than a person was shown.
Promise: every row says where it is in, or why it is not; what one event held is decided with one click.
"""
