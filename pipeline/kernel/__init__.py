"""What any service needs, and nothing of news.

In: the environment, bytes, secrets.
Out: configuration, engines, outbound HTTP, signatures, wake-up calls.
Owns: the data directory and the embedded engines in it.
Never: imports another room, knows an article.
Promise: a wrong setting is named at boot, all of them at once; what it starts it stops.
"""
