"""What readers chose, as lists that equal a recount.

In: whole-number counts per article, minute and channel; facts about articles; pins and bans.
Out: standings for now, today, week and trending, each place with its reason.
Owns: Standing, Pin.
Never: reads raw events, decides who is a person, names a reader.
Promise: a list is a pure function of the counts and the instant, to the last tie.
"""
