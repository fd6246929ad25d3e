"""The tables of a campus folder, from CSV, xlsx or xls: register, people, roster, meter swaps, and the words schools use."""
