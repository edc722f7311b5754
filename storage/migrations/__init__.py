"""The migrations of the database, run by Alembic."""

HEAD = "0002"
"""The newest revision. A start on a database of this revision does not import Alembic."""
