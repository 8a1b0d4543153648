"""What sites write for machines, made plain.

In: bytes of feeds, REST answers, sitemaps and OPML, with the address they came from.
Out: entries, feeds, lists of addresses, each with warnings of what was mended or doubted.
Owns: how RSS, Atom, RDF, JSON Feed, WordPress REST, sitemaps and OPML are read.
Never: fetches, asks what time it is, trusts a length, a charset or an id.
Promise: no input breaks reading; what cannot be used is named unusable in one sentence.
"""
