"""Sites that tell us there is news: pings, WebSub, signed webhooks.

In: requests that say "look now", some signed, and leases at hubs.
Out: looks that are due at once, and again shortly after.
Owns: Push; who may wake us, how often, and how a push that fell silent is found out.
Never: believes what a hint says, except that it is time to look.
Promise: thirty hints cost what one costs; a push that misses stories is polled around until it delivers again.
"""
