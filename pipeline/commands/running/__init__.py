"""Verbs that start the house and say what it lacks.

In: the environment.
Out: running engines and processes; words about what is missing and how to mend it.
Owns: which processes there are.
Never: leaves a program behind.
Promise: one terminal shows and ends all of it.
"""
