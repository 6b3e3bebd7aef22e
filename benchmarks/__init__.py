"""What is measured, and the upstreams that are fast enough to measure against."""
