"""Only deliveries with GitHub's signature are accepted."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.github.webhook_signature import verify_signature

# The test vector of GitHub's docs, "Validating webhook deliveries".
SECRET = "It's a Secret to Everybody"
BODY = b"Hello, World!"
SIGNATURE = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"


def test_the_test_vector_of_githubs_docs_is_accepted() -> None:
    assert verify_signature(SECRET, BODY, SIGNATURE)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "sha256=",
        SIGNATURE.removeprefix("sha256="),
        SIGNATURE.upper(),
        SIGNATURE[:-1],
        SIGNATURE + "0",
        "sha1=" + "0" * 40,
        "sha256=é",
        "sha256=\ud800",
        "\udcff" * 71,
    ],
)
def test_any_other_header_is_refused_without_an_error(header: str | None) -> None:
    assert not verify_signature(SECRET, BODY, header)


def test_a_changed_body_or_secret_is_refused() -> None:
    assert not verify_signature(SECRET, BODY + b" ", SIGNATURE)
    assert not verify_signature(SECRET + "!", BODY, SIGNATURE)


@settings(deadline=None)
@given(st.binary(max_size=200), st.text(max_size=80))
def test_no_header_text_makes_verification_raise(body: bytes, header: str) -> None:
    assert not verify_signature(SECRET, body, header)
