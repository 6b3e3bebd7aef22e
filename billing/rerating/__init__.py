"""Charges of the past, made right after a wrong price: previewed, then booked once."""
