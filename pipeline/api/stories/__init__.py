"""Stories for programs, and what is said of them: articles, what is held, posts and their accounts, Most Popular.

In: an article's, a hold's, a post's number. Out: rows with the reason of their state; acts of the rooms that own them.
Owns: nothing.
Never: gives a story's full text, decides about more held stories than the program was shown.
Promise: a story that is killed leaves everything that has not left yet, however often it is asked for.
"""
