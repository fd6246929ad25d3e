"""Heating that fails, gas that flows unseen, rooms without heat."""
