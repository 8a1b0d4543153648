"""The verbs of `dateline`, each thin.

In: arguments, files, the environment.
Out: JSON lines, words for a person, an exit code.
Owns: nothing.
Never: holds a rule that a room should hold.
Promise: 0 with warnings for ill-formed input, 2 with one clear line for unusable input.
"""
