"""Usage summed by the hour: what pages and statements read, and what outlives usage rows."""
