"""From the journal to the database: what was answered becomes rows and postings, once."""
