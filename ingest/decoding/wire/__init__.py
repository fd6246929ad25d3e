"""How bytes and topics are written: JSON within bounds, Protocol Buffers, Modbus frames, topics. No meaning comes in."""
