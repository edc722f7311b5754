"""GitHub's stand-in, for asking it with leaked tokens."""

from tests.integrations.github.conftest import far, private_key, session, time

__all__ = ["far", "private_key", "session", "time"]
