"""The database's shape, version by version, through Alembic."""

HEAD = "0002"
"""The newest version; equal to it, a start does not even import Alembic."""
