"""Storage remembers: alerts, cards, jobs, people and what was done, in SQLite or PostgreSQL."""
