"""Recordings made by others, read into readings: they lie beside the checkout, or there is nothing to judge."""
