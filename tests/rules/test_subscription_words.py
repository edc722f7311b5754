"""What follows `subscribe`: a filter and options, with the nearest word for a mistyped one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rules.filters import BadFilter
from bot.rules.subscription_words import parse_subscription_words, write_words
from storage.records import ChannelId, Subscription, ThreadLevel


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("", ("", None, None)),
        ("org:octo", ("org:octo", None, None)),
        ("thread=all org:octo", ("org:octo", ThreadLevel.ALL, None)),
        ("org:octo THREAD=None mention=NONE", ("org:octo", ThreadLevel.NONE, "none")),
        ("mention=S012AB3CD", ("", None, "S012AB3CD")),
        ("mention=@Security", ("", None, "@security")),
        ("mention=<!subteam^S012AB3CD|@security>", ("", None, "S012AB3CD")),
        ("mention=<!subteam^S012AB3CD>", ("", None, "S012AB3CD")),
        ('secret-type:"a thread=all"', ('secret-type:"a thread=all"', None, None)),
        ("secret-type:a=b thread=actions", ("secret-type:a=b", ThreadLevel.ACTIONS, None)),
        ("\u2013repo:octo/web thread=all", ("-repo:octo/web", ThreadLevel.ALL, None)),
    ],
)
def test_words(typed: str, found: tuple[str, ThreadLevel | None, str | None]) -> None:
    words = parse_subscription_words(typed)
    assert (str(words.alert_filter), words.thread, words.mention) == found


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("thread=loud", "`thread=` has no `loud`. There are `all`, `actions`, `none`."),
        ("thread=action", "Did you mean `thread=actions`?"),
        ("thread=", "`thread=` has no ``"),
        ("treads=all", "Did you mean `thread=`?"),
        ("menton=none", "Did you mean `mention=`?"),
        ("repository=octo/web", "Did you mean `repo:octo/web`?"),
        ("colour=red", "`colour=` is not an option. There are `thread=`, `mention=`."),
        ("mention:@security", "write `mention=@security`"),
        ("mention=@channel", "would notify everybody"),
        ("mention=<!here>", "would notify everybody"),
        ("mention=everyone", "would notify everybody"),
        ("mention=nobody", "`mention=none`"),
        ("mention=platform", "`mention=@platform`"),
        ("mention=<@U012AB3CD>", "does not take"),
        ("mention=none mention=none", "`mention=` is given twice"),
        ("validity:active", "can't choose a channel's alerts"),
        ("deploy.yml", "can't choose a channel's alerts"),
        ('"unclosed', "is not closed"),
    ],
)
def test_what_can_t_be_understood_says_what_to_write(typed: str, said: str) -> None:
    with pytest.raises(BadFilter) as error:
        parse_subscription_words(typed)
    assert said in str(error.value)


@given(st.text(alphabet="threadmnio=:@<>!^|\"' S0-,/ab", max_size=60))
def test_any_text_is_parsed_or_refused_and_what_is_written_is_read_again(typed: str) -> None:
    try:
        words = parse_subscription_words(typed)
    except BadFilter:
        return
    level = words.thread or ThreadLevel.ACTIONS
    stored = Subscription(ChannelId("C0"), str(words.alert_filter), level, mention=words.mention)
    again = parse_subscription_words(write_words(stored))
    assert (str(again.alert_filter), again.thread, again.mention) == (
        stored.filter,
        level,
        words.mention or "none",
    )
