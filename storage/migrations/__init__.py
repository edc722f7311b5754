"""The migrations of the database, run by Alembic."""

HEAD = "0002"
"""The newest revision. A start on a database of this revision does not import Alembic."""
VERSIONS = {"0001": "0.1.0", "0002": "0.2.0"}
"""The version of Stanch that brought each revision."""
