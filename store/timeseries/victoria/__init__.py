"""VictoriaMetrics as the time-series store."""
