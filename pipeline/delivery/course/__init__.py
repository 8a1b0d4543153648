"""Keeping a send on course: what policies and people do to one between its freeze and its end.

In: a send, what its readers' clocks say, a killed story, a person's decision.
Out: an audience frozen and verified, a send that asks, goes on without a story, or is opened again for those who lack it.
Owns: the frozen counts, what is a strange audience, when each batch is due, who may be mailed once more.
Never: speaks to a server, mails anybody who has the edition, overlooks a difference between two counts.
Promise: nobody is added after the freeze, nobody is lost by a pause, a kill or a cancellation that is taken back.
"""
