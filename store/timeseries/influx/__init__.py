"""InfluxDB 2 as the time-series store."""
