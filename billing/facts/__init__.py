"""What key holders are told of their keys, usage and money."""
