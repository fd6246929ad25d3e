"""An exercise's record in words: for the page, the printer and the workbook."""
