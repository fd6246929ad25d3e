"""The uplinks of LoRaWAN network servers; the bytes inside are read by ``ingest.decoding.lorawan``."""
