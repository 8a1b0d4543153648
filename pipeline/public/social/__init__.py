"""What readers of our posts may open beside the story: an account's feed, and the note on a story that was wrong.

In: a signed token from a feed's address or a tracked link.
Out: RSS; a page that says what was wrong, what changed and when.
Owns: nothing.
Never: repeats the words of a story that was killed or is gone, or shows why a person killed it.
Promise: a link in a post that cannot be changed any more leads to the truth about its story.
"""
