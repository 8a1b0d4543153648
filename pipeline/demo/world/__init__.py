"""A pretence to try Dateline on: a sample newsroom, an inbox to look into, a pretend network, simulated readers.

In: stories written for it (`copy/`), mail by SMTP, posts by HTTP, the address of the Most Popular box.
Out: a site with a feed, mails and posts a person can look at, and clicks from people, scanners and proxies.
Owns: four servers on 127.0.0.1, each started and stopped by whoever made it.
Never: imports Django, reaches beyond loopback, is used in production, answers an unsubscribe link for anybody.
Promise: Dateline cannot tell it from the real thing by protocol: validators, redirects and faults are honest.
"""
