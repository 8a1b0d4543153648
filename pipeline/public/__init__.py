"""The readers' door: joining, choosing, leaving, the web view, Most Popular for anyone who asks.

In: a token from a mail, or a plain request from the site.
Out: a page, a feed, a fragment; a subscription begun, changed or ended by POST.
Owns: nothing.
Never: changes anything by GET, tells whether an address is known, redirects a one-click request.
Promise: an unsubscribe link works for as long as its mail exists.
"""
