"""What providers list, brought into the catalogue: fetched, compared, guarded, applied or held."""
