"""GitHub: what it tells us by webhook, and what we ask of it over REST."""
