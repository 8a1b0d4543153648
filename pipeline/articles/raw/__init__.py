"""The raw matter of reading: bytes, markup, dates and embedded metadata, made plain.

In: bytes and strings a stranger wrote.
Out: text, trees, aware instants, dictionaries; or UnusableInput with one line that says why.
Owns: charsets, the allow-list, limits on nesting and size, words for months and zones, the words and class names
    that newsrooms' themes use.
Never: knows what an article is, opens a file or a connection, asks what time it is.
Promise: bounded time and memory for any input.
"""
