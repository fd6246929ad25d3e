"""Meters and gateways of electrical rooms and factories."""
