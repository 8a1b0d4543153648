"""An edition at the desk: its story, its preview, what editors do to it, what came of it.

In: an edition's number; a revision with every act. Out: pages, the true message, a flash that says what happened.
Owns: nothing. Never: shows a message that was not made by the renderer that sends it.
Promise: what is previewed is what leaves; an act on something that changed meanwhile is refused and loses no words.
"""
