"""How an edition is set: colours, type, tidy text, and the way from MJML to the HTML of a letter.

In: a masthead, stories with their languages, MJML, text as newsrooms write it.
Out: a look, stories placed with blanks for addresses, HTML that waits for its readers' values.
Owns: nothing; every call stands alone.
Never: chooses stories, knows a reader.
Promise: no ink without contrast, no text that can write markup, no design that fails in silence.
"""
