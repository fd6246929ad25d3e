"""Runs the rules: instances, their machines, deadlines, settings, snapshots, and replay of a history. It knows no subject."""
