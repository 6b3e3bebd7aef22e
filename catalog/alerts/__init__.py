"""What an operator should know: found, kept as incidents, told once, and taken back."""
