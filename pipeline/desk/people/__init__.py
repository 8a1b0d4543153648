"""Who works here, how they prove it, and what they did.

In: a signed-in user's look or act; an invitation's link; a code from a phone.
Out: pages of people, of one's own account, of the journal; a session after the second factor.
Owns: nothing; the rows are staff's.
Never: says whether an address works here, shows a secret twice, closes the last administrator's account.
Promise: who may do what is on one page, and every change of it is in the journal with its reason.
"""
