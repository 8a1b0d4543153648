"""One article for all the names its site gives it.

In: what channels tell of stories, again and again.
Out: articles new to us, articles that are told differently now, and the names they go by.
Owns: the alias table, merging, what each channel last said of a story.
Never: announces, reads a page, believes that a new name is a new story.
Promise: a changed slug, a moved domain or ten new GUIDs are no news.
"""
