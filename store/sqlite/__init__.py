"""SQLite files of ours: one writer, lent readers, setting aside, and reading what is left of a damaged one."""
