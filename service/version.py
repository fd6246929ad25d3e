"""The version, written nowhere else: pyproject.toml reads it here when the wheel is built."""

VERSION = "0.1.0"
