"""The wire formats that we speak, by the name that a provider's row carries."""

NAMES = ("openai", "anthropic", "echo")
