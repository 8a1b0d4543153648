"""What the newsroom's own site asks of the door: the beacon, and Most Popular ready to be shown.

In: requests for /b.js, /b/page, /b/<page token> and /popular.*; articles' addresses and charts from PostgreSQL.
Out: views as events; lists as the ranking room wrote them, byte for byte.
Owns: the beacon's script; the snapshot of lists in the spool.
Never: believes an address, a page or a time that a request merely claims; sets a cookie; writes a list itself.
Promise: a list is served with PostgreSQL away, and nothing is measured of who asked not to be.
"""
