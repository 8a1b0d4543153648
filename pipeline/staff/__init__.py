"""The people of the newsroom and what they did.

In: an address and a password; a human act.
Out: a signed-in user with a role; a line in the journal.
Owns: User, JournalEntry, Stop, Grant, Invitation, ApiToken, Presence.
Never: knows a reader; readers are subscribers, not users.
Promise: every act that changes the world has a name, a time and, where asked, a reason.
"""
