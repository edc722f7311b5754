"""Filters are parsed, written back in one form, and invalid ones get a helpful error."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rules.filter_match import matches, route
from bot.rules.filters import (
    BadFilter,
    open_by_default,
    parse_filter,
    parse_subscription_filter,
    refuse_contradiction,
)
from bot.rules.typed_text import normalize_typed
from storage.filter import Filter, Qualifier, Sort, Term
from storage.records import Account, ChannelId, GitHubId, Person, Subscription
from tests.storage.examples import ANA, BEN, plain_alert, repository

WORDS = ("is", "validity", "secret-type", "provider", "resolution", "bypassed", "repo", "org", "assignee")
VALUES = ("open", "closed", "active", "true", "octo/payments", "octo", "@me", "none", "7d", "wont_fix")
ROUGH = st.text(alphabet=" '\"\\,:-@/ab0dİß\u200b\n“é\u2018\u2019\u2013\u2014\u00a0", max_size=60)
SENSIBLE = st.lists(
    st.builds(
        "{}{}:{}".format,
        st.sampled_from(("", "-")),
        st.sampled_from((*WORDS, "older", "sort")),
        st.lists(st.one_of(st.sampled_from(VALUES), ROUGH), min_size=1, max_size=3).map(",".join),
    ),
    max_size=4,
).map(" ".join)


@given(st.one_of(st.text(), ROUGH, SENSIBLE, st.tuples(SENSIBLE, ROUGH).map(" ".join)))
def test_a_filter_that_is_written_back_parses_to_the_same_filter(text: str) -> None:
    """And no text raises any other error than BadFilter."""
    try:
        understood = parse_filter(text)
    except BadFilter:
        return
    assert parse_filter(str(understood)) == understood
    assert len(str(understood)) <= 1500


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("", ""),
        ("IS:Open", "is:open"),
        ("repo:Octo/Payments repo:octo/web", "repo:octo/payments,octo/web"),
        ("repo:b/c,a/b repo:a/b", "repo:a/b,b/c"),
        ("is:publicly-leaked is:open", "is:open is:publicly-leaked"),
        ("is:closed,open", "is:closed,open"),
        ("-repo:octo/web is:open", "is:open -repo:octo/web"),
        ("resolution:false_positive", "resolution:false-positive"),
        ("bypassed:TRUE", "bypassed:true"),
        ("assignee:@Octocat assignee:@me", "assignee:@me,octocat"),
        ('secret-type:"GitHub Personal Access Token"', 'secret-type:"github personal access token"'),
        ("secret-type:“My Pattern”,x", 'secret-type:"my pattern",x'),
        ('provider:"Amazon Web Services"', "provider:amazon-web-services"),
        ("older:7d", "older:7d"),
        ("sort:created-desc", ""),
        ("sort:updated-asc deploy.yml Token", "deploy.yml token sort:updated-asc"),
        ('"repo:a/b"', '"repo:a/b"'),
        ("-draft", "-draft"),
        ('-"-draft"', '-"-draft"'),
        ('"a \\"b\\" \\\\"', '"a \\"b\\" \\\\"'),
        ("is:open\u200b", "is:open"),
        ("-", '"-"'),
        ("is:open\u00a0validity:active", "is:open validity:active"),
        ("is:open\u3000\u2028older:7d", "is:open older:7d"),
        ("\ufeffis:open\u2060", "is:open"),
        ("\u2013bypassed:true", "-bypassed:true"),
        ("\u2014repo:octo/pay\u2011ments", "-repo:octo/pay-ments"),
        ("is:publicly\u2010leaked", "is:publicly-leaked"),
        ("secret-type:\u2018My Pattern\u2019,x", 'secret-type:"my pattern",x'),
        (
            "secret-type:'My Pattern' 'a b' -'c d'",
            'secret-type:"my pattern" "a b" "c d"'.replace(' "c', ' -"c'),
        ),
        ("don\u2019t won't 'open", """ "'open" "don't" "won't" """.strip()),
        ("secret-type:\u201cKey \u2013 old\u201d", 'secret-type:"key \u2013 old"'),
        ("older:7d older:1d", "older:1d older:7d"),
    ],
)
def test_equal_filters_are_written_the_same(typed: str, written: str) -> None:
    assert str(parse_filter(typed)) == written


@pytest.mark.parametrize(
    ("typed", "error"),
    [
        ("valdity:active", "`valdity:` is not a filter. Did you mean `validity:`?"),
        ("state:open", "Did you mean `is:`?"),
        ("secret_type:x", "Did you mean `secret-type:`?"),
        ("zzzzzzzz:1", "`zzzzzzzz:` is not a filter. There are `is:`, `validity:`"),
        ("https://github.com/octo", 'To search for the text itself, write `"https://github.com/octo"`.'),
        ("is:opne", "`is:` has no `opne`. Did you mean `is:open`?"),
        ("is:resolved", "Did you mean `is:closed`?"),
        ("is:leaked", "Did you mean `is:publicly-leaked`?"),
        ("validity:yes", "There are `active`, `inactive`, `unknown`."),
        ("resolution:wontfix", "Did you mean `resolution:wont-fix`?"),
        ("bypassed:", "`bypassed:` has no value; write bypassed:true."),
        ("repo:payments", "write repo:OWNER/NAME"),
        ("repo:a/b/c", "write repo:OWNER/NAME"),
        ("org:octo/payments", "write org:NAME"),
        ("assignee:who?", "assignee:LOGIN, assignee:@me or assignee:none"),
        ("older:week", "write older:7d, older:12h or older:30m"),
        ("older:²d", "write older:7d"),
        ("sort:newest", "Did you mean `sort:created-desc`?"),
        ("-sort:created-asc", "`sort:` takes one of"),
        ('is:"open', "A quote"),
        ('""', "finds nothing"),
        ("x" * 1501, "too long"),
        # Each of these words is written in quotes.
        (" ".join(f"{number}," for number in range(300)), "too long"),
        ("`is`:open", "`'is':` is not a filter. Did you mean `is:`?"),
    ],
)
def test_an_invalid_filter_gets_a_suggestion(typed: str, error: str) -> None:
    with pytest.raises(BadFilter) as caught:
        parse_filter(typed)
    assert error in str(caught.value)


@given(st.one_of(st.text(), ROUGH))
def test_normalizing_twice_changes_nothing_more(text: str) -> None:
    once = normalize_typed(text)
    assert normalize_typed(once) == once
    assert not set(once) & set("\u00a0\u200b\u2018\u2019\u201c\u201d")


@pytest.mark.parametrize(
    ("typed", "quoted"),
    [
        ("repo:a/b -repo:a/b,c/d", "`repo:a/b` and `-repo:a/b,c/d`"),
        ("repo:a/b org:c", "`repo:a/b` and `org:c`"),
        ("repo:a/b -org:a", "`repo:a/b` and `-org:a`"),
        ("-bypassed:true,false", "`-bypassed:false,true`: "),
        ("secret-type:x -secret-type:x", "`secret-type:x` and `-secret-type:x`"),
        ("is:open is:closed", "`is:open` and `is:closed`"),
        ("is:open resolution:revoked", "`is:open`"),
        ("is:closed -is:closed", "`is:closed` and `-is:closed`"),
        ("older:7d -older:1d", "`older:7d` and `-older:1d`"),
        ("deploy.yml -deploy", "`deploy.yml` and `-deploy`"),
    ],
)
def test_a_filter_that_can_match_no_alert_is_refused(typed: str, quoted: str) -> None:
    with pytest.raises(BadFilter, match="no alert can match that") as caught:
        refuse_contradiction(parse_filter(typed))
    assert quoted in str(caught.value)


@pytest.mark.parametrize(
    "typed",
    [
        "repo:a/b,c/d -repo:c/d",
        "repo:a/b org:a,c",
        "repo:a/b,c/d -org:a",
        "org:a -repo:a/b",
        "is:closed resolution:revoked",
        "is:open,closed",
        "is:open is:publicly-leaked",
        "older:1d -older:7d",
        "older:7d older:1d",
        "deploy -deploy.yml",
        "bypassed:true,false",
        "",
    ],
)
def test_a_filter_that_can_match_is_accepted(typed: str) -> None:
    assert refuse_contradiction(parse_filter(typed)) == parse_filter(typed)


@pytest.mark.parametrize(("days", "found"), [(0.5, False), (3, False), (8, True)])
@pytest.mark.parametrize("typed", ["older:7d older:1d", "older:1d older:7d", "older:7d"])
def test_two_ages_both_have_to_match(typed: str, days: float, found: bool) -> None:
    alert = plain_alert()
    assert matches(parse_filter(typed), alert, repository(), alert.created_at + days * 86_400) is found


@pytest.mark.parametrize(
    ("typed", "assigned", "taken", "me", "found"),
    [
        ("assignee:none", None, None, 1, True),
        ("assignee:none", ANA, None, 1, False),
        ("assignee:none", None, BEN, 1, False),
        ("assignee:@me", ANA, BEN, ANA.id, True),
        ("assignee:@me", ANA, BEN, BEN.id, True),
        ("assignee:@me", ANA, None, BEN.id, False),
        ("assignee:@me", ANA, BEN, None, False),
        (f"assignee:{BEN.login}", ANA, BEN, None, True),
        (f"assignee:{BEN.login}", ANA, None, BEN.id, False),
    ],
)
def test_who_is_on_it_is_github_s_assignee_or_who_took_it(
    typed: str, assigned: Account | None, taken: Account | None, me: GitHubId | None, found: bool
) -> None:
    person = Person(github=taken) if taken else None
    alert = replace(plain_alert(), assigned_to=assigned, taken_by=person)
    assert matches(parse_filter(typed), alert, repository(), alert.created_at, me) is found


def test_repeated_words_join_their_values_except_is() -> None:
    alert, now = plain_alert(), plain_alert().created_at
    assert matches(parse_filter("repo:octo/web repo:octo/payments"), alert, repository(), now)
    assert matches(parse_filter("is:open,closed"), alert, repository(), now)
    assert not matches(parse_filter("is:open is:publicly-leaked"), alert, repository(), now)
    assert not matches(parse_filter("-repo:octo/web -repo:octo/payments"), alert, repository(), now)


def test_an_error_does_not_repeat_a_typed_secret() -> None:
    secret = "ghp_" + "a" * 36
    with pytest.raises(BadFilter) as caught:
        parse_filter(f"{secret}:x")
    assert secret not in str(caught.value)


def test_a_list_shows_open_alerts_unless_the_filter_names_a_state() -> None:
    assert str(open_by_default(parse_filter("validity:active"))) == "is:open validity:active"
    assert open_by_default(Filter()) == Filter((Term(Qualifier.IS, ("open",)),))
    for typed in ("is:closed", "is:open,closed", "-is:open", "resolution:revoked"):
        assert open_by_default(parse_filter(typed)) == parse_filter(typed)
    assert str(open_by_default(parse_filter("is:publicly-leaked"))) == "is:open is:publicly-leaked"
    assert open_by_default(parse_filter("sort:updated-asc")).sort is Sort.UPDATED_ASC


def test_a_subscription_may_only_filter_by_facts_that_do_not_change() -> None:
    chosen = "-bypassed:true secret-type:github_personal_access_token org:octo -repo:octo/web"
    assert parse_subscription_filter(chosen).terms
    for typed in ("is:open", "validity:active", "older:7d", "assignee:@me", "provider:github", "payments"):
        with pytest.raises(BadFilter, match=r"may change while an alert is open; use .*`repo:`"):
            parse_subscription_filter(typed)
    with pytest.raises(BadFilter, match="remove it"):
        parse_subscription_filter("org:octo sort:created-asc")
    with pytest.raises(BadFilter, match="no alert can match that"):
        parse_subscription_filter("repo:octo/web -repo:octo/web")
    # Stored filters are not checked again.
    subscriptions = [Subscription(ChannelId("C1"), "repo:octo/web -repo:octo/web")]
    assert route(plain_alert(), repository(), subscriptions, ChannelId("C0")) == ["C0"]


@pytest.mark.parametrize(
    ("stored", "channels"),
    [
        ("", ["C1"]),
        ("repo:octo/payments", ["C1"]),
        ("repo:octo/web", ["C0"]),
        ("-repo:octo/web", ["C1"]),
        ("secret-type:github_personal_access_token", ["C1"]),
        ("-secret-type:github_personal_access_token", ["C0"]),
        ("bypassed:true", ["C0"]),
        ("a filter: of another version", ["C1"]),
    ],
)
def test_an_alert_goes_to_each_matching_channel_or_to_the_default(stored: str, channels: list[str]) -> None:
    subscriptions = [Subscription(ChannelId("C1"), stored)]
    assert route(plain_alert(), repository(), subscriptions, ChannelId("C0")) == channels
