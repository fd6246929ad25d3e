"""The school calendar: what kind of day it is, whether a building is in use, and what a change of it changes."""
