"""Figures of the whole fleet, for charts and for Prometheus.

``daily_figures.py``  The figures of the last days, for charts.
``gauges.py``         The gauges of configurations, items, workers and scheduler, for Prometheus.
"""
