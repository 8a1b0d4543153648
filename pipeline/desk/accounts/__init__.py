"""Social accounts as the desk tells them: whether they post, by which rules, with which money, in which words.

In: accounts with their rules as kept; a person's template, pause or word to go on.
Out: sentences, a preview of a template with its fault, an answer in words.
Owns: nothing.
Never: shows a key or a token, or changes anything by GET.
Promise: a template that does not work is never kept, and what was typed is never lost.
"""
