"""Who asks, as far as a header or an address tells.

In: a User-Agent header, request headers, an address.
Out: what kind of program it is; which networks the address belongs to.
Owns: the lists of robots, of scanning and gateway networks, of where servers live.
Never: judges behaviour, asks a network, keeps an address.
Promise: programs inside which people read are people; a list never convicts where it can only doubt.
"""
