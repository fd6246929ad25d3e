"""Grafana's data source, folder and dashboards, made from the campus and put there."""
