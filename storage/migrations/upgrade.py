"""Runs the migrations inside an open transaction."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config


def upgrade(conn: sa.Connection) -> None:
    """Upgrade to the newest revision. The caller holds the lock against other processes, and commits."""
    command.upgrade(config(conn), "head")


def config(conn: sa.Connection | None = None) -> Config:
    """Alembic's configuration without a file."""
    settings = Config()
    settings.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    settings.set_main_option("path_separator", "os")
    settings.attributes["connection"] = conn
    return settings
