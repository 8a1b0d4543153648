"""The adapters of pages, channels and rooms: LinkedIn, Facebook, Threads, Telegram, Discord, Slack, and our own ways out.

In: the keys of one account, and a Message for it.
Out: where it is now, or one of the errors of channels/base.py.
Owns: each network's routes, its way of writing text and its words for "no".
Never: tries again by itself, sleeps, follows a redirect, puts a secret into a log or an error.
Promise: the suite in tests/contracts holds for each; one that cannot be read back says so, and a person is asked.
"""
