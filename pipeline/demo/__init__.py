"""`dateline demo`: the real system between pretend neighbours, on one stage with a live board.

In: an option or two.
Out: the main job from end to end, shown as it happens; with `--once` a table and an exit code.
Owns: a data directory of its own, beside real data.
Never: takes another path than production takes.
Promise: every stage it reports is counted from the rows and the mails, never assumed.
"""
