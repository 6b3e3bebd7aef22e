"""Reading what providers say they serve: one parser per shape of list, pure, no I/O."""
