"""Dateline: from a newsroom's new articles to its readers, and back.

sources     watch news sites                      -> observations
articles    read, identify, screen                -> articles, told once
editions    choose and compose digests            -> editions with reasons
posts       choose the words for each network     -> posts
schedule    says when                             -> due editions and posts
delivery    sends once                            -> deliveries, outcomes
engagement  records what readers really did       -> events, tallies
ranking     turns that into Most Popular          -> standings, back into editions
audience, channels, staff, kernel carry them; desk, public and tracking are the doors.
"""
