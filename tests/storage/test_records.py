"""The key of an alert as text."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.records import AlertKey, AlertNumber, RepositoryId

IDS = st.integers(min_value=0, max_value=10**18 - 1)


@given(IDS, IDS)
def test_an_alert_key_can_be_written_and_parsed(repository: int, number: int) -> None:
    key = AlertKey(RepositoryId(repository), AlertNumber(number))
    assert AlertKey.parse(str(key)) == key


@given(st.text(max_size=30).filter(lambda text: not re.fullmatch(r"[0-9]{1,18}/[0-9]{1,18}", text)))
def test_any_other_text_is_refused(text: str) -> None:
    """The error does not show the text, which comes from outside."""
    with pytest.raises(ValueError, match=r"\Anot an alert key\Z"):
        AlertKey.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "1",
        "1/",
        "/2",
        "1/2/3",
        "-1/2",
        "1 /2",
        "+1/2",
        "1_0/2",
        "\u0661/\u0662",
        "²/1",
        f"1/{'9' * 19}",
    ],
)
def test_similar_texts_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not an alert key"):
        AlertKey.parse(text)
