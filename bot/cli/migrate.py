"""`stanch migrate`: brings the database to this version's schema."""

from bot.cli.console import say, with_database
from storage.db import Database


def migrate() -> None:
    """Bring the database to this version's schema."""

    async def work(db: Database) -> None:
        say(f"The database at {db.name} is up to date.")

    with_database(work)
