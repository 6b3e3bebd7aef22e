"""Real local servers that behave as the providers do, well or badly."""
