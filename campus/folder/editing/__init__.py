"""Changes to the files of a campus folder that leave everything else in them as it was."""
