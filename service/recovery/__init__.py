"""Recovery as a designed act: what is done about files that are damaged, missing, or do not belong together."""
