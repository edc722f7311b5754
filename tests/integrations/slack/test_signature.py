"""Only requests with a recent signature of Slack's are accepted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.slack.signature import fingerprint, verify

# The example of Slack's docs, "Verifying requests from Slack".
SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
    b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
    b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
    b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
TIMESTAMP = "1531420618"
SIGNATURE = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
NOW = 1531420618.0


def test_the_example_of_slacks_docs_is_accepted() -> None:
    assert verify(SECRET, BODY, TIMESTAMP, SIGNATURE, NOW)


@pytest.mark.parametrize(("off", "accepted"), [(299, True), (-299, True), (301, False), (-301, False)])
def test_a_timestamp_may_be_five_minutes_off(off: int, accepted: bool) -> None:
    assert verify(SECRET, BODY, TIMESTAMP, SIGNATURE, NOW + off) is accepted


@pytest.mark.parametrize(
    ("timestamp", "signature"),
    [
        (None, SIGNATURE),
        (TIMESTAMP, None),
        ("", ""),
        ("now", SIGNATURE),
        ("-1531420618", SIGNATURE),
        ("1531420618.0", SIGNATURE),
        ("²" * 10, SIGNATURE),
        ("9" * 5000, SIGNATURE),
        (TIMESTAMP, SIGNATURE.upper()),
        (TIMESTAMP, SIGNATURE[3:]),
        (TIMESTAMP, SIGNATURE[:-1] + "4"),
        (TIMESTAMP, "v0=ü\udcff"),
    ],
)
def test_malformed_headers_are_refused_without_an_error(timestamp: str | None, signature: str | None) -> None:
    assert not verify(SECRET, BODY, timestamp, signature, NOW)


def test_another_body_or_secret_is_refused() -> None:
    assert not verify(SECRET, BODY + b"&", TIMESTAMP, SIGNATURE, NOW)
    assert not verify(SECRET + "x", BODY, TIMESTAMP, SIGNATURE, NOW)


def test_without_a_secret_every_request_is_refused() -> None:
    assert not verify("", BODY, TIMESTAMP, SIGNATURE, NOW)


@given(st.binary(), st.text(), st.text())
def test_no_request_makes_verification_raise(body: bytes, timestamp: str, signature: str) -> None:
    assert not verify(SECRET, body, timestamp, signature, NOW)


def test_only_equal_requests_have_the_same_fingerprint() -> None:
    one = fingerprint(BODY, TIMESTAMP, SIGNATURE)
    assert one == fingerprint(BODY, TIMESTAMP, SIGNATURE)
    assert len({one, fingerprint(BODY, "1", SIGNATURE), fingerprint(b"", TIMESTAMP, SIGNATURE)}) == 3
    assert fingerprint(b"c", "a", "b") != fingerprint(b"", "a", "bc")
