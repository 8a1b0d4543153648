"""The parts of a story's page, each found where newsrooms put it.

In: a parsed page and what it says about itself for machines.
Out: the story's paragraphs, its picture, its fields.
Owns: which witness is believed for which field, and the class names of common themes.
Never: fetches, decides whether the story is news.
Promise: a missing part is None or empty, never an error.
"""
