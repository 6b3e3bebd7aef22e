"""Monthly statements of accounts: numbered without gaps, and never changed."""
