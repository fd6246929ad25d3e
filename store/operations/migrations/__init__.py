"""The steps that bring an operations database of an older version up to date."""
