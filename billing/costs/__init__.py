"""What a request can cost, and what an answer does cost. Pure."""
