"""Small devices on the local network: Zigbee2MQTT, Shelly, Bluetooth gateways, cameras before dials."""
