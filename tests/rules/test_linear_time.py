"""Reading outside text takes time linear in its length, not quadratic."""

import json
import re
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rules.masking import HIDDEN, mask
from integrations.github.responses import message_of
from integrations.slack import text as t

SHORT, LONG = 4_000, 32_000
"""Both are longer than the most that `cut` keeps."""
MOST = 3.0
"""How much more time each character of the long text may take; a quadratic reader takes 8 times as much."""
TEXTS = {
    "token headers": "eyJ",
    "token headers with dots": "eyJaaaaaaaa.",
    "names": "token=",
    "quotes": "token='\"",
    "tags": "token=<",
    "authorization": "bearer ",
    "addresses": "://a:",
    "keys": "-----BEGIN ",
    "slack": "xoxb-",
    "underscores": "_",
    "line ends": "\n",
    "no-break spaces": "\N{NO-BREAK SPACE}",
    "colons": ":0",
    "digits": "0",
    "letters": "a",
    "capitals": "A",
    "links": "<https://",
    "labels": "<https://a|",
    "mentions": "<@A",
    "code": "`",
}
READERS: dict[str, Callable[[str], object]] = {
    "mask": mask,
    "prose": t.prose,
    "code": t.code,
    "spoken": lambda text: t.without_markup(t.Mrkdwn(text)),
    "cut": lambda text: t.cut(t.Mrkdwn(text), 3_000),
    "GitHub's reason": lambda text: message_of(json.dumps({"message": text}).encode()),
}


def seconds(read: Callable[[str], object], text: str) -> float:
    """Processor time of one call, the best of three."""
    taken = []
    for _ in range(3):
        began = time.process_time()
        read(text)
        taken.append(time.process_time() - began)
    return min(taken)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("piece", TEXTS.values(), ids=TEXTS)
def test_a_text_that_is_8_times_as_long_takes_about_8_times_as_long(reader: str, piece: str) -> None:
    read = READERS[reader]
    short, long = (f"a{piece * (length // len(piece))}a" for length in (SHORT, LONG))
    # Below 0.02 s the time is too short to compare.
    assert seconds(read, long) <= max(0.02, MOST * 8 * seconds(read, short))


@given(
    st.lists(
        st.sampled_from(["eyJ", "eyI", "ey", ".", ".eyJ", "-", "_", "a", "a" * 8, " "]), max_size=14
    ).map("".join)
)
def test_web_tokens_are_masked_like_by_the_plain_pattern(text: str) -> None:
    plain = re.compile(r"ey[JI][\w-]{8,}\.ey[JI][\w-]{8,}(?:\.[\w-]*)?", re.ASCII)
    assert mask(text) == plain.sub(HIDDEN, text)


@given(st.text(alphabet="a_ >", max_size=12))
def test_underscores_and_quote_marks_are_replaced_like_by_the_plain_patterns(text: str) -> None:
    underscores = re.sub(
        r"(?<!\w)_+|_+(?!\w)",
        lambda found: "\N{FULLWIDTH LOW LINE}" * len(found[0]),
        t.clean(text),
    )
    quotes = re.sub(r"^>", "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}", underscores)
    assert t.prose(text) == quotes.replace(">", "&gt;")


@given(st.text(alphabet="aB3-/ ", max_size=50))
def test_githubs_reasons_are_masked_like_by_the_plain_pattern(text: str) -> None:
    plain = re.compile(r"(?=[\w+/=-]*\d)(?=[\w+/=-]*[A-Z])[\w+/=-]{20,}", re.ASCII)
    one_line = " ".join(text.split())
    assert message_of(json.dumps({"message": text}).encode()) == plain.sub("[masked]", one_line)
