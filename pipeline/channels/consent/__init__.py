"""An account's owner consents to our app in a browser, and the consent becomes keys (OAuth 2.0).

In: the app's own keys, and where the browser is led back to.
Out: an address to open, then the account's keys and when they run out.
Owns: each network's routes and scopes, the state and the verifier (RFC 7636), the listener on loopback.
Never: prints, stores or logs a key; answers anybody but loopback.
Promise: a code is exchanged only by the one who asked for it.
"""
