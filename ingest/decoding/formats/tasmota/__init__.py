"""Tasmota: its messages, its sensors, its meter script and its Zigbee bridge."""
