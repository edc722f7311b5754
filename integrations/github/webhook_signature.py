"""Checks GitHub's signature of a webhook delivery."""

import hashlib
import hmac


def verify_signature(secret: str, body: bytes, header: str | None) -> bool:
    """Whether `header` (`X-Hub-Signature-256`) is the signature of the raw body; never raises.

    GitHub's docs, "Validating webhook deliveries": `sha256=` and the hex HMAC-SHA256, compared in constant time.
    """
    expected = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    # As bytes, since compare_digest raises for text that is not ASCII.
    return hmac.compare_digest(expected.encode(), (header or "").encode("utf-8", "surrogatepass"))
