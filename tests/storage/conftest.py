"""What only the storage tests need."""

import socket

import pytest


@pytest.fixture
def unused_port() -> int:
    """A port of the loopback where nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
