"""Payloads of LoRaWAN devices whose network server sends the bytes only."""
