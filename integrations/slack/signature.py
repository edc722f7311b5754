"""Checks Slack's signature of a request, on the raw body."""

import hashlib
import hmac

MAX_AGE = 300
"""Seconds. Slack's docs, "Verifying requests from Slack": refuse a timestamp that is more than five minutes off."""
_TIMESTAMP_DIGITS = 12


def verify(
    signing_secret: str, body: bytes, timestamp_header: str | None, signature_header: str | None, now: float
) -> bool:
    """Whether the signature is right and its timestamp within five minutes of `now` (Unix seconds). Never raises.

    Slack's docs: the signature (`X-Slack-Signature`) is `v0=` and the hex HMAC-SHA256 of `v0:TIMESTAMP:BODY`, keyed
    with the signing secret. The timestamp is in `X-Slack-Request-Timestamp`.
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
    """Return a hash (hex) that identifies a signed request, so that a repeated one is recognised.

    As it is a hash, neither the signature nor the body has to be stored.
    """
    digest = hashlib.sha256()
    for part in (timestamp.encode(), signature.encode(errors="surrogateescape"), body):
        digest.update(len(part).to_bytes(8) + part)
    return digest.hexdigest()
