"""What a careful colleague would say of an edition before it leaves: each thing once, where it stands, with what to do.

In: the HTML and text as readers get them, the content they were made of, facts only the database and the sites know.
Out: findings as data, and a sentence and a remedy for each.
Owns: the words for findings.
Never: asks a database, a site or a clock; decides whether to send.
Promise: looks at what readers will get, not at what was meant.
"""
