"""Time series behind one contract: embedded, InfluxDB 2, VictoriaMetrics; and what all three share."""
