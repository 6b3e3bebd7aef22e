"""Who asks: keys, what they may be used for, and where they are found."""
