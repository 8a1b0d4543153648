"""The parts of a story's page, each found where newsrooms put it.

In: a parsed page, what it says about itself for machines, and what a channel told of the story.
Out: the story's paragraphs, its picture, its section path, its fields.
Owns: which witness is believed for which field, and the site's own key of a section.
Never: fetches, decides whether the story is news.
Promise: a missing part is None or empty, never an error.
"""
