"""Stores alerts, messages, jobs, identities and the audit log in SQLite or PostgreSQL."""
