"""Ways to say a story: as a headline, a question, a quote, a number, a thread or a card. Pure.

In: a story's own words, an account's tone, tags, names and words that ask for care.
Out: texts in several formats, each of which fits its network, the best first.
Owns: nothing.
Never: makes up a word the story does not hold, or plays with a death.
Promise: a sensitive story gets its headline and its link and nothing else.
"""
