"""The connection to a broker: session, bursts, acknowledgement by hand, and why it cannot be made. It knows no format."""
