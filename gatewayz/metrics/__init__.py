"""Counters that cost a request next to nothing, and what Prometheus reads of them."""
