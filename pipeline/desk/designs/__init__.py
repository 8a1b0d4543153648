"""Designs of letters: the shipped ones, those editors wrote, and what each makes of stories that break designs.

In: a signed-in user's look, a source as it is typed, a version to use.
Out: problems with line and column while one types, the letter in a sealed frame, versions.
Owns: nothing; editions/designs keeps the versions.
Never: lets a source run outside the sandbox, shows a letter that could act.
Promise: what the preview shows is what the same source makes of an edition, by the same renderer.
"""
