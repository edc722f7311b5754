"""Stores when a signing secret and its replacement were last used, while both are accepted."""

from bot.context import Context
from storage import saved_values
from storage.db import Tx
from storage.records import UnixTime

SIGNED_WITH = "signed_with:"
"""What the names of these saved values start with; the setting's name follows, as `SLACK_SIGNING_SECRET_OLD`."""


async def save_use(context: Context, setting: str) -> None:
    """Store that a request signed with the secret of this setting came just now. Raises StorageUnavailable."""
    async with context.db.begin() as tx:
        await saved_values.save(tx, SIGNED_WITH + setting, tx.now)


async def last_used(tx: Tx, setting: str) -> UnixTime | None:
    """When a request was last signed with the secret of this setting, up to a minute late.

    None if no use is stored: uses are stored only while an old secret is accepted too.
    """
    at = await saved_values.load(tx, SIGNED_WITH + setting)
    return float(at) if isinstance(at, int | float) else None
