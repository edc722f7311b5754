"""Makes Stanch's own keys: of the audit log's hashes, and of the encryption of people's tokens."""

import base64
import secrets

from bot.flows.setup.step import Known, SetupContext, StepRefused
from bot.settings import StorageSettings
from bot.views.setup_github_refusals import address_fault
from storage import audit
from storage.db import Database, StorageUnavailable
from storage.encryption import KEY_LENGTH


async def new_keys(context: SetupContext, known: Known) -> dict[str, str]:
    """The keys that are not set yet. Raises StepRefused if the database can't be used.

    An audit log that has rows without a key gets none: its rows would not verify any more.
    """
    made = {}
    if known.get("STANCH_ENCRYPTION_KEYS") is None:
        made["STANCH_ENCRYPTION_KEYS"] = base64.urlsafe_b64encode(secrets.token_bytes(KEY_LENGTH)).decode()
    if known.get("STANCH_AUDIT_KEY") is None and not await _has_audit_log(context, known):
        made["STANCH_AUDIT_KEY"] = secrets.token_hex(32)
    return made


async def _has_audit_log(context: SetupContext, known: Known) -> bool:
    url = known.get("DATABASE_URL") or StorageSettings.model_fields["database_url"].default
    try:
        db = Database(url, clock=context.clock)
    except ValueError as fault:
        raise StepRefused(address_fault("DATABASE_URL", str(fault))) from None
    try:
        if db.path is not None and not db.path.exists():
            return False
        if await db.revision() is None:
            return False
        async with db.read() as tx:
            return await audit.last_number(tx) > 0
    except StorageUnavailable as error:
        raise StepRefused(str(error)) from None
    finally:
        await db.close()
