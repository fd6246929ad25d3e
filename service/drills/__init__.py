"""Runs an exercise: its devices, its rules, its checks, its end."""
