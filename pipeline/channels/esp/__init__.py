"""E-mail service providers: mail handed over by HTTP, one request a message, through django-anymail.

In: the engine's envelopes, and a provider's keys; the bodies its webhooks post to us.
Out: a receipt for each envelope with the provider's own number; events in one shape.
Owns: which provider is spoken to how, what each of its answers means.
Never: repeats a request whose answer did not come, lets a provider rewrite links or count opens.
Promise: at most one message is in doubt for each connection, whatever is cut and when.
"""
