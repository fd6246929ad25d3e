"""A campus folder: what a school edits, read whole, with every mistake told at once."""

from campus.folder.load import check_folder, load_campus

__all__ = ["check_folder", "load_campus"]
