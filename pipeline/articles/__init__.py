"""One article for each story, read as a journalist would, and told once.

In: entries from sources, and the pages they lead to.
Out: clean articles in a state that says whether they may be announced, and why not.
Owns: Section, Article, Alias, Version, Hold; addresses, datelines, furniture, the gates.
Never: fetches, sends, asks what time it is.
Promise: only `eligible` is ever announced, each article once, whatever the site re-imports or renames.
"""
