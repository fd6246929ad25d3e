"""What is wrong, judged from readings and time alone: pure functions of what they are fed, without clock, disk or network.

A rule is one file in the room of its subject, with its settings, memory and words, and its place in
:mod:`rules.catalogue`; the engine owns state and time.
"""
