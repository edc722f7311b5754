"""Checks the settings: faults, misspelt names, old secrets, missing keys, files that others can read, proxies."""

import os
import ssl
import stat
from collections.abc import Iterator
from pathlib import Path

from bot.flows.doctor.examined import Examined, StoredFacts
from bot.flows.secret_use import last_used
from bot.rules.check_results import CheckResult, fault, note, ok, warning
from bot.settings import ENV_FILE, OLD_SECRETS, Settings
from integrations.proxies import proxy_fault
from storage.audit import iso
from storage.db import StorageUnavailable
from storage.records import UnixTime

ENVIRONMENT_ONLY = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")
"""Read by the libraries from the environment alone."""
OTHERS = 0o077
"""The bits of a file's mode that let its group or others in."""


async def check_settings(examined: Examined, stored: StoredFacts) -> list[CheckResult]:
    """Nothing but files and the database is read."""
    found = [fault("settings.malformed", sentence=sentence) for sentence in examined.faults]
    found += _environment(examined)
    found += _files(examined)
    found += [
        warning("settings.questionable", name, advice=advice)
        for name, advice in examined.questionable
        if name not in OLD_SECRETS  # They have results of their own.
    ]
    if examined.settings is not None:
        found += _missing(examined.settings, examined)
        found += _stream(examined.settings.stanch_audit_stream)
        used = await _last_uses(examined, stored)
        found += _old_secrets(examined.settings, used)
    if not any(result.is_finding for result in found):
        found.insert(0, ok("settings.ok"))
    return found


def _environment(examined: Examined) -> Iterator[CheckResult]:
    for name in ENVIRONMENT_ONLY:
        if name in examined.only_in_file:
            yield fault("settings.only_in_file", name, file=ENV_FILE)
    problem = proxy_fault()
    if problem is not None:
        yield fault("settings.malformed", sentence=problem)
    certificates = examined.variables.get("SSL_CERT_FILE")
    if certificates and "SSL_CERT_FILE" not in examined.only_in_file and not _has_certificates(certificates):
        yield fault("settings.no_certificates", "SSL_CERT_FILE", file=certificates)


def _has_certificates(path: str) -> bool:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(path)
    except (OSError, ValueError):
        return False
    return bool(context.cert_store_stats()["x509"])


def _files(examined: Examined) -> Iterator[CheckResult]:
    """Files with secrets that others than their owner can read."""
    written = examined.variables.get("GITHUB_APP_PRIVATE_KEY", "").strip()
    for name in (ENV_FILE, written if "-----BEGIN" not in written else ""):
        if not name:
            continue
        try:
            path = Path(name).expanduser()
            facts = path.stat()
        except (OSError, ValueError, RuntimeError):
            continue  # Where it is needed, it is a fault of the settings.
        # A file of another user, as root's or one that Kubernetes mounts, can be read by us through our group alone.
        let_in = OTHERS if facts.st_uid == os.geteuid() else OTHERS & ~stat.S_IRGRP
        if facts.st_mode & let_in:
            yield warning("settings.open_file", str(path), mode=f"{facts.st_mode & 0o777:04o}")


def _stream(path: str | None) -> Iterator[CheckResult]:
    """Whether the file of the audit stream can be written, or made."""
    if path is None or path == "-":
        return
    file = Path(path) if Path(path).exists() else Path(path).parent
    if not os.access(file, os.W_OK):
        yield warning("settings.stream_not_writable", "STANCH_AUDIT_STREAM", file=path)


def _missing(settings: Settings, examined: Examined) -> Iterator[CheckResult]:
    if settings.stanch_default_channel is None:
        yield warning("settings.no_default_channel", "STANCH_DEFAULT_CHANNEL")
    if settings.stanch_audit_key is None:
        yield warning("settings.no_audit_key", "STANCH_AUDIT_KEY")
    if settings.github_app_client_id and settings.stanch_public_url and not settings.encryption_keys():
        if examined.options.github.act_as != "app":
            yield warning("settings.no_encryption_keys", "STANCH_ENCRYPTION_KEYS")
    elif not settings.stanch_public_url:
        yield note("settings.no_sign_in", "STANCH_PUBLIC_URL")


async def _last_uses(examined: Examined, stored: StoredFacts) -> dict[str, UnixTime]:
    """When requests were last signed with the secrets that are being replaced."""
    if examined.db is None or not stored.is_known:
        return {}
    try:
        async with examined.db.read() as tx:
            found = {name: await last_used(tx, name) for name in OLD_SECRETS}
    except StorageUnavailable:
        return {}
    return {name: at for name, at in found.items() if at is not None}


def _old_secrets(settings: Settings, used: dict[str, UnixTime]) -> Iterator[CheckResult]:
    for old, new in OLD_SECRETS.items():
        value = getattr(settings, old.lower())
        if value is None:
            continue
        if value == getattr(settings, new.lower()):
            yield warning("settings.same_secret", old, new=new)
        elif old in used:
            yield warning("settings.old_secret_used", old, new=new, at=iso(used[old])[:16].replace("T", " "))
        else:
            yield warning("settings.old_secret", old, new=new)
