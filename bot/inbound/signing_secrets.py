"""Checks a signature with a route's secret, and with the former one while that is being replaced."""

from collections.abc import Callable
from dataclasses import dataclass, field

import structlog
from pydantic import SecretStr

from bot.context import Context
from bot.flows.secret_use import save_use
from storage.db import StorageUnavailable

log = structlog.get_logger(__name__)
SAVE_EVERY = 60.0
"""Seconds between two times at which this process stores that a secret was used."""


@dataclass(frozen=True, slots=True)
class SigningSecrets:
    """The secrets of one route. Which of them was used is stored and counted only while there are two."""

    context: Context
    setting: str
    """The setting with the current secret; the former one's name ends with `_OLD`."""
    current: SecretStr
    old: SecretStr | None = None
    _saved_at: dict[str, float] = field(default_factory=dict)

    def matching(self, is_signed: Callable[[str], bool]) -> str | None:
        """The setting of the secret with which `is_signed` is true, or None.

        All secrets are tried in any case, so that the time taken does not tell which one matched.
        """
        secrets = {self.setting: self.current}
        if self.old is not None:
            secrets[f"{self.setting}_OLD"] = self.old
        matched = {name: is_signed(secret.get_secret_value()) for name, secret in secrets.items()}
        return next((name for name, matches in matched.items() if matches), None)

    async def note_use(self, setting: str) -> None:
        """Count a request that was signed with the secret of this setting; store and log it once a minute."""
        if self.old is None:
            return
        self.context.metrics.signed_requests.labels(setting.lower()).inc()
        now = self.context.clock.monotonic()
        saved_at = self._saved_at.get(setting)
        if saved_at is not None and now - saved_at < SAVE_EVERY:
            return
        self._saved_at[setting] = now
        if setting != self.setting:
            log.warning("old_secret_used", setting=setting)
        try:
            await save_use(self.context, setting)
        except StorageUnavailable as error:
            # The request itself is stored; the next minute's use is noted again.
            log.warning("secret_use_not_stored", setting=setting, reason=str(error))
