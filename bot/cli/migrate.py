"""`stanch migrate`: brings the database to this version's schema."""

from bot.cli.console import run, say
from bot.database import open_database
from bot.settings import StorageSettings, load_settings


def migrate() -> None:
    """Bring the database to this version's schema."""

    async def work(settings: StorageSettings) -> None:
        async with open_database(settings) as db:
            say(f"The database at {db.name} is up to date.")

    run(work(load_settings(StorageSettings)))
