"""Text from outside can't mention, link, format or hide anything in ours."""

import html
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.slack.text import (
    Mrkdwn,
    clean,
    code,
    cut,
    date,
    emoji,
    escape,
    fact,
    join,
    lines,
    link,
    mrkdwn,
    prose,
    units,
    user,
    utc,
    web_url,
    without_markup,
)
from tests.integrations.slack.hostile import texts

BARE_AMPERSAND = re.compile(r"&(?!amp;|lt;|gt;)")
UNCUT = 200_000


def assert_harmless(text: str) -> None:
    assert "<" not in text
    assert ">" not in text
    assert not BARE_AMPERSAND.search(text)
    assert not [c for c in text if c != "\n" and unicodedata.category(c) in {"Cc", "Cf", "Cs"}]
    text.encode()


def unescape(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


@given(texts)
def test_escaping_loses_only_invisible_characters(text: str) -> None:
    escaped = escape(text, UNCUT)
    assert unescape(escaped) == clean(text)
    assert_harmless(escaped)


@given(texts, st.integers(1, 400))
def test_escaped_text_fits_and_is_never_cut_inside_an_entity(text: str, limit: int) -> None:
    for made in (escape(text, limit), prose(text, limit)):
        assert len(made) <= units(made) <= limit
        assert_harmless(made)


@given(texts)
def test_prose_has_no_formatting_characters(text: str) -> None:
    made = prose(text, UNCUT)
    assert not set("*~`") & set(made)
    assert not re.search(r":[a-z_]+:", made)
    assert not made.startswith("&gt;")
    assert len(unescape(made)) == len(clean(text))


@given(texts)
def test_a_code_span_holds_one_line_and_no_backtick(text: str) -> None:
    made = code(text)
    assert units(made) <= 200
    assert_harmless(made)
    if made != "(empty)":
        assert made.count("`") == 2
        assert made[0] == made[-1] == "`"
    assert "\n" not in made


def test_a_code_span_does_not_join_text_around_a_backtick() -> None:
    """Masking does not find a secret that is split by a backtick, so removing the backtick would expose it."""
    assert code("gh`p_x") == "`gh'p_x`"


@given(texts, st.integers(1, 300), st.booleans())
def test_cleaned_text_fits_and_cleaning_again_changes_nothing(text: str, limit: int, several: bool) -> None:
    cleaned = clean(text, limit, lines=several)
    assert units(cleaned) <= limit
    assert clean(cleaned, lines=several) == cleaned
    assert several or "\n" not in cleaned


def test_a_cut_text_ends_with_an_ellipsis() -> None:
    assert clean("one two three", 8) == "one two…"
    assert escape("a&b&c", 7) == "a&amp;…"
    assert prose("🔑🔑🔑", 4) == "🔑…"


@given(texts, texts)
def test_a_template_takes_any_text_and_keeps_its_own_markup(one: str, two: str) -> None:
    made = mrkdwn("*{}* in <https://octo.test|{name}>", one, name=two)
    assert made.startswith("*")
    assert made.endswith(">")
    assert made.count("<") == made.count(">") == 1
    assert made.count("*") == 2


def test_finished_markup_is_not_escaped_again() -> None:
    assert mrkdwn("{} by {}, {} times", fact("Found", "<b>"), user("U0DANA"), 2) == (
        "*Found:* &lt;b&gt; by <@U0DANA>, 2 times"
    )


def test_only_our_own_emoji_codes_are_emoji() -> None:
    assert mrkdwn("{} {}", emoji("no_entry"), ":no_entry:") == ":no_entry: \N{RATIO}no_entry\N{RATIO}"
    assert emoji("<!here>") == "&lt;!here&gt;"


def test_without_markup_keeps_the_text() -> None:
    made = lines(
        mrkdwn(":no_entry: *Closed* as {} by {} ({})", "won't fix", user("U0DANA"), code("octo-dana")),
        mrkdwn(
            "{} in {}, {}", link("https://octo.test/42", "a *token*"), code("a*b/:x:.env"), date(1795488187)
        ),
        mrkdwn("{} and {}", user("U0DANA"), "<!here> `x`"),
    )
    assert without_markup(made) == (
        "Closed as won't fix by octo-dana\n"
        "a \N{ASTERISK OPERATOR}token\N{ASTERISK OPERATOR} in a*b/:x:.env, 24 Nov 2026, 02:43 UTC\n"
        "<@U0DANA> and &lt;!here&gt; 'x'"
    )


@given(texts, texts)
def test_without_markup_leaves_no_markup_of_any_text(one: str, two: str) -> None:
    made = without_markup(lines(mrkdwn("*{}* :x: {}", one, code(two)), link(f"https://octo.test/{one}", two)))
    assert_harmless(made)
    assert "`" not in made


def test_concatenated_strings_are_not_markup() -> None:
    assert type(mrkdwn("a") + "<!channel>") is str
    assert join([code("a") + "<!channel>"]) == "'a'&lt;!channel&gt;"


def test_lines_leave_out_none_and_empty_text() -> None:
    assert lines("a & b", None, "", Mrkdwn("*c*")) == "a &amp; b\n*c*"


@given(texts, texts)
def test_any_link_is_well_formed_or_only_its_label(url: str, label: str) -> None:
    made = link(url, label)
    if made.startswith("<"):
        address, bar, shown = made[1:-1].partition("|")
        assert bar
        assert address.startswith(("http://", "https://"))
        assert not set(shown) & set("<>|")
        assert not re.search(r"\s", address)
    else:
        assert_harmless(made)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://github.com/octo/pay|ments", "https://github.com/octo/pay%7Cments"),
        ("https://github.com/a/b/blob/x/c>d.env#L3", "https://github.com/a/b/blob/x/c%3Ed.env#L3"),
        ("http://127.0.0.1:8080/octo", "http://127.0.0.1:8080/octo"),
        ("https://github.com/a?b=1&c=ü", "https://github.com/a?b=1&c=%C3%BC"),
        ("javascript:alert(1)", None),
        ("https://github.com@evil.test/", None),
        ("https://evil.test\\.github.com/", None),
        ("https://git\u200bhub.com/", None),
        ("https://github.com/a b", None),
        ("https://[::1", None),
        ("//github.com/octo", None),
        ("https://github.com/" + "a" * 3000, None),
        ("", None),
    ],
)
def test_only_web_addresses_are_linked(url: str, shown: str | None) -> None:
    assert web_url(url) == shown


def test_a_link_escapes_its_address_and_its_label() -> None:
    assert link("https://octo.test/?a=1&b=2", "a|b <c>") == "<https://octo.test/?a=1&amp;b=2|a¦b &lt;c&gt;>"
    assert link("mailto:x", "") == "(empty)"


def test_a_date_is_local_for_the_reader_and_utc_for_old_clients() -> None:
    assert date(1795488187.9) == ("<!date^1795488187^{date_short_pretty} at {time}|24 Nov 2026, 02:43 UTC>")
    assert date(0, "{date_num}") == "<!date^0^{date_num}|1 Jan 1970, 00:00 UTC>"


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_any_number_can_be_shown_as_a_time(unix: float) -> None:
    assert utc(unix)
    assert date(unix)


def test_a_mention_needs_a_valid_id() -> None:
    assert user("U0DANA") == "<@U0DANA>"
    assert user("!channel") == "`!channel`"
    assert user("U0> <!here") == "`U0&gt; &lt;!here`"


@given(st.lists(texts, max_size=20), st.integers(1, 300))
def test_markup_is_cut_only_between_its_pieces(parts: list[str], limit: int) -> None:
    made = lines(*(mrkdwn("{} {} {}", code(part), link("https://octo.test/x", part), part) for part in parts))
    short = cut(made, limit)
    assert units(short) <= limit
    assert short.count("<") == short.count(">")
    assert short.count("`") % 2 == 0
    assert not BARE_AMPERSAND.search(short)
    assert html.unescape(short) is not None
