"""What Prometheus scrapes and alerts on, and the dashboards over it."""
