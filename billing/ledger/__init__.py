"""Double-entry bookkeeping: every movement of money, in transactions that sum to zero."""
