"""The alert rules and the dashboard of ``deploy/monitoring/``, in a real Prometheus that scrapes the real page."""
