"""Puts the rooms together into one process that looks after itself, and a command line.

The only room that may import every other; nobody imports it.
"""
