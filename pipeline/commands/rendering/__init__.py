"""The verb that renders an edition from articles alone.

In: a JSON file of articles, rules and blocks; a newsletter's name.
Out: html, text, a whole message and what preflight found.
Owns: the form of that file.
Never: needs a database; composes by rules other than an edition's own.
Promise: exactly what would be sent.
"""
