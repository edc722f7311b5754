"""Which generic secret types a sync names."""

import pytest

from bot.rules.sync_scope import generic_types


@pytest.mark.parametrize(
    ("version", "lacks"),
    [
        (None, set()),
        ("3.20.0", set()),
        ("3.19.4", {"generic_private_key"}),
        ("3.18.1", {"ec_private_key", "generic_private_key"}),
        ("unknown", {"ec_private_key", "generic_private_key"}),
    ],
)
def test_only_types_that_the_server_knows_are_named(version: str | None, lacks: set[str]) -> None:
    known = set(generic_types(version))
    assert set(generic_types(None)) - known == lacks
    assert {"password", "rsa_private_key"} <= known
