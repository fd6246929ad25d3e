"""Dragino's sensors: payloads by model, with the frame they share."""
