"""Whether a request comes from Slack, decided on its raw body before anything reads it."""

import hashlib
import hmac

MAX_AGE = 300
"""Seconds. Slack's docs, "Verifying requests from Slack": refuse timestamps more than five minutes off."""
_TIMESTAMP_DIGITS = 12


def verify(
    signing_secret: str,
    body: bytes,
    timestamp_header: str | None,
    signature_header: str | None,
    now: float,
) -> bool:
    """Whether the signature is Slack's and at most five minutes old; False, never an error, if malformed.

    Slack's docs: `v0=` and the hex HMAC-SHA256, keyed with the signing secret, of `v0:TIMESTAMP:BODY`.
    """
    timestamp, signature = timestamp_header or "", signature_header or ""
    if not signing_secret or not timestamp.isascii() or not timestamp.isdigit():
        return False
    if len(timestamp) > _TIMESTAMP_DIGITS or abs(now - int(timestamp)) > MAX_AGE:
        return False
    signed = b"v0:" + timestamp.encode() + b":" + body
    expected = "v0=" + hmac.new(signing_secret.encode(), signed, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), signature.encode(errors="surrogateescape"))


def fingerprint(body: bytes, timestamp: str, signature: str) -> str:
    """A name (hex) for one signed request: the same request sent twice has the same one.

    It is a hash, so that neither the signature nor the body needs to be kept.
    """
    digest = hashlib.sha256()
    for part in (timestamp.encode(), signature.encode(errors="surrogateescape"), body):
        digest.update(len(part).to_bytes(8) + part)
    return digest.hexdigest()
