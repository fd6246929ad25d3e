"""One module or package a format, grouped as docs/formats.md groups them. A new format is a file here and a line in the
registry.
"""
