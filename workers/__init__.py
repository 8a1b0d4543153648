"""Celery, and nothing else: thin tasks that call one pipeline function each.

In: a message with ids. Out: a call, with `now`. Owns: the Celery app and the beat.
Never: decides, queries, or keeps state. Promise: losing every message costs time, not work.
"""
