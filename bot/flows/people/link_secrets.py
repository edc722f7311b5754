"""Makes and checks the secrets of a link under way. Pure but for its random numbers.

- The **id** of a request is in the address of the person's button and in the modal. The database has
  its SHA-256.
- The **cookie** is in the browser that opened the address: a random part and the id. Its digest is the **state**
  that goes to GitHub and back, so the address of the callback does not tell the cookie. The database has the
  SHA-256 of the state.
- The **code** has six digits, which somebody who reads the database could try out. Its stored HMAC is keyed with the
  id, which is stored nowhere.
"""

import base64
import hashlib
import hmac
import re
import secrets

CODE = re.compile(r"[0-9]{6}")
_TYPED_BETWEEN = re.compile(r"[\s\u2010-\u2015-]+")


def new_id() -> str:
    """A fresh id: 256 random bits, in URL-safe Base64."""
    return secrets.token_urlsafe(32)


def new_cookie(request_id: str) -> str:
    """A fresh cookie for a browser that opened the address of a request."""
    return f"{secrets.token_urlsafe(32)}.{request_id}"


def request_of(cookie: str) -> str:
    """The id in a cookie."""
    return cookie.partition(".")[2]


def digest(secret: str) -> str:
    """What is stored of an id or a state."""
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def state_of(cookie: str) -> str:
    """The state that belongs to a cookie."""
    # Ours are ASCII. A stranger's may hold bytes of no encoding, which lead nowhere, and to no error of ours.
    hashed = hashlib.sha256(b"stanch link state" + cookie.encode(errors="replace")).digest()
    return base64.urlsafe_b64encode(hashed).decode().rstrip("=")


def cookie_name(state: str) -> str:
    """The cookie's name: each tab has its own, so that two don't disturb each other.

    The prefix `__Host-` makes browsers take it only from this host, over a secure connection, for all paths.
    """
    return f"__Host-stanch-{digest(state)[:16]}"


def new_code() -> str:
    """A fresh code of six digits."""
    return f"{secrets.randbelow(1_000_000):06d}"


def code_hash(request_id: str, state_hash: str, code: str) -> str:
    """What is stored of a code; each page has its own."""
    return hmac.new(request_id.encode(), f"{state_hash}:{code}".encode(), hashlib.sha256).hexdigest()


def read_code(typed: object) -> str | None:
    """The code in what a person typed, with or without spaces and dashes; None for anything else."""
    plain = _TYPED_BETWEEN.sub("", typed) if isinstance(typed, str) else ""
    return plain if CODE.fullmatch(plain) else None
