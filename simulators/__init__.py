"""Simulated campuses: physics, devices, faults, and what they publish. They look at the campus only, never at the rules."""
