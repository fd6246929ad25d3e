"""Meters and sensors heard by radio: Wireless M-Bus, rtl_433, ERT."""
