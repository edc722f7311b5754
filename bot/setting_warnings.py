"""Finds settings to warn of at the start: unknown, weak, set up in part, or only for the time of a rotation."""

import difflib
import re
from collections.abc import Iterator

from bot.settings import OLD_SECRETS, Settings, StorageSettings, variables

KUBERNETES = re.compile(r"STANCH_(PORT|SERVICE_HOST|SERVICE_PORT|PORT_[0-9]+_)")
"""Variables that Kubernetes sets in every container for a service named `stanch`."""
SHORTEST_AUDIT_KEY = 16
"""Characters; a shorter key can be guessed."""


def questionable_settings(settings: StorageSettings) -> Iterator[tuple[str, str]]:
    """Settings to warn of at the start, each as its name and what to do."""
    for name in _unknown_settings():
        near = difflib.get_close_matches(name, _KNOWN, n=1, cutoff=0.7)
        yield name, f"no such setting: did you mean {near[0]}?" if near else "no such setting: remove it"
    if isinstance(settings, Settings):
        yield from _half_sign_in(settings)
        yield from _old_secrets(settings)
    if settings.database_url_new is not None:
        yield "DATABASE_URL_NEW", "only stanch migrate --to-new uses it: remove it when everything is moved"
    key = settings.stanch_audit_key
    if key is not None and len(key.get_secret_value()) < SHORTEST_AUDIT_KEY:
        yield (
            "STANCH_AUDIT_KEY",
            f"has fewer than {SHORTEST_AUDIT_KEY} characters and can be guessed: use openssl rand -hex 32",
        )


def missing_settings(settings: Settings) -> Iterator[tuple[str, str]]:
    """Settings that are optional, but may have been forgotten, each with what follows."""
    if settings.stanch_default_channel is None:
        yield "STANCH_DEFAULT_CHANNEL", "alerts without a subscription have no card"
    if settings.stanch_audit_key is None:
        yield "STANCH_AUDIT_KEY", "the audit log is chained without a key"
    if settings.github_webhook_secret is None:
        yield "GITHUB_WEBHOOK_SECRET", "alerts come by sync alone"


def _half_sign_in(settings: Settings) -> Iterator[tuple[str, str]]:
    if settings.stanch_public_url and not settings.github_app_client_id:
        yield "STANCH_PUBLIC_URL", "nobody can sign in without GITHUB_APP_CLIENT_ID and its secret: set them"
    if settings.github_app_client_id and not settings.stanch_public_url:
        yield "GITHUB_APP_CLIENT_ID", "nobody can sign in without STANCH_PUBLIC_URL: set it"


def _old_secrets(settings: Settings) -> Iterator[tuple[str, str]]:
    for old, new in OLD_SECRETS.items():
        value = getattr(settings, old.lower())
        if value is not None and value == getattr(settings, new.lower()):
            yield old, f"is the same as {new}, so nothing is being replaced: remove it"
        elif value is not None:
            yield old, "is accepted too: remove it once nothing is signed with it any more"


def _unknown_settings() -> list[str]:
    """Unknown variables with `STANCH_`, and those with `SLACK_` or `GITHUB_` that look like a misspelt setting."""
    others = sorted(variables().keys() - set(_KNOWN))
    ours = [name for name in others if name.startswith("STANCH_") and not KUBERNETES.match(name)]
    near = [
        name
        for name in others
        if name.startswith(("SLACK_", "GITHUB_")) and difflib.get_close_matches(name, _KNOWN, n=1, cutoff=0.9)
    ]
    return ours + near


_KNOWN = tuple(name.upper() for name in Settings.model_fields)
