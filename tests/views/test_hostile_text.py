"""Hostile names, comments and paths: Slack accepts every message, and the text has no effect as markup."""

from dataclasses import replace

from hypothesis import example, given
from hypothesis import strategies as st

from bot.actions import controls
from bot.actions.check_validity import probe_answer, refresh_answer
from bot.actions.close_alert import CloseAlert, closed_answer
from bot.actions.hand_over import HandOverAlert
from bot.actions.reopen_alert import ReopenAlert
from bot.actions.report_leak import ReportLeak, failed_answer, reported_answer, waiting_answer
from bot.actions.tell_owner import owner_told_answer
from bot.commands import SUBCOMMANDS
from bot.commands.help import unknown_word_answer
from bot.commands.whoami import identity_answer, role_answer
from bot.errors import Refused
from bot.options import Step
from bot.rules.case import Actor, PersonalCase, Receiver
from bot.rules.checklist import Tick
from bot.rules.hand_over import Effect
from bot.rules.rights import Rights
from bot.views import own_name_refusals, refusals
from bot.views.answers import refusal, refusal_view, report_ended
from bot.views.card import card_metadata, draw_card
from bot.views.checklist import draw_checklist
from bot.views.hand_over import handed_over_answer, receiver_message
from bot.views.history import draw_history, draw_locations
from bot.views.owner_message import draw_owner_message, notice_of
from bot.views.refusals import internal_error
from bot.views.replies import draw_reply
from integrations.github.errors import Forbidden, Unreachable
from integrations.slack.text import Mrkdwn
from storage.records import (
    Account,
    Alert,
    AlertState,
    CommitAuthor,
    Event,
    EventKind,
    GitHubId,
    Identity,
    Person,
    Probe,
    Report,
    ReportState,
    Repository,
    RepositoryState,
    SecretLocation,
    SlackUserId,
    TokenFacts,
)
from tests.integrations.slack.hostile import texts
from tests.views.cases import KEY, TEAM, repository, token
from tests.views.sending import opened, sent

MAYBE = st.none() | texts
SHA = "4f35f36a9d1c2b3e4f5061728394a5b6c7d8e9f0"
TIMES = st.floats(-1e11, 1e12) | st.sampled_from([0.0, 1795488000.0])
ACCOUNTS = st.builds(Account, st.integers(1, 2**63 - 1).map(GitHubId), texts)
PEOPLE = st.builds(
    Person,
    st.just(TEAM),
    st.none() | st.just(SlackUserId("U0ADMIN")) | texts.map(SlackUserId),
    st.none() | ACCOUNTS,
)
PLACES = st.builds(
    SecretLocation,
    texts | st.just("commit"),
    MAYBE,
    st.none() | st.integers(1, 2**63 - 1),
    MAYBE | st.just(SHA),
    MAYBE,
)
WORDS = texts | st.sampled_from(["active", "inactive", "unknown"])
PROBES = st.builds(
    Probe, WORDS, texts | st.just("accepted"), TIMES, st.none() | PEOPLE, st.booleans(), st.booleans()
)
TOKENS = st.builds(
    TokenFacts, st.none() | ACCOUNTS, MAYBE, st.lists(texts, max_size=8).map(tuple), st.none() | TIMES
)
AUTHORS = st.builds(
    CommitAuthor, st.just(SHA), st.none() | ACCOUNTS, st.none() | ACCOUNTS, verified=st.booleans()
)
REPORTS = st.builds(Report, st.sampled_from(ReportState), PEOPLE, TIMES, st.none() | TIMES, MAYBE)
REPOSITORIES = st.builds(
    lambda name, owner, kind, visibility, url, state, delegated: repository(
        full_name=name,
        owner=owner,
        owner_type=kind,
        visibility=visibility,
        html_url=url,
        state=state,
        delegated_dismissal=delegated,
    ),
    texts,
    ACCOUNTS,
    texts | st.just("Organization"),
    texts | st.sampled_from(["public", "private"]),
    texts | st.just("https://github.com/octo/payments"),
    st.sampled_from(RepositoryState),
    st.none() | st.booleans(),
)
ALERTS = st.builds(
    Alert,
    key=st.just(KEY),
    html_url=texts | st.just("https://github.com/octo/payments/security/secret-scanning/42"),
    secret_type=texts | st.sampled_from(["github_personal_access_token", "stripe_api_key"]),
    secret_type_name=texts,
    provider=MAYBE,
    category=texts | st.just("default"),
    created_at=TIMES,
    updated_at=TIMES,
    first_seen_at=TIMES,
    state=st.sampled_from(AlertState),
    resolution=MAYBE | st.just("revoked"),
    resolution_comment=MAYBE,
    resolved_by=st.none() | ACCOUNTS,
    resolved_at=st.none() | TIMES,
    validity=WORDS,
    publicly_leaked=st.booleans(),
    multi_repo=st.booleans(),
    bypassed=st.booleans(),
    bypassed_by=MAYBE,
    bypass_comment=MAYBE,
    place=st.none() | PLACES,
    has_more_places=st.booleans(),
    assigned_to=st.none() | ACCOUNTS,
    token=TOKENS,
    commit_author=st.none() | AUTHORS,
    detailed=st.booleans(),
    probe=st.none() | PROBES,
    report=st.none() | REPORTS,
    taken_by=st.none() | PEOPLE,
    acted_by=st.none() | PEOPLE,
    validity_written=st.booleans(),
)
IDENTITIES = st.builds(
    Identity,
    st.just(TEAM),
    st.just(SlackUserId("U0ADMIN")),
    ACCOUNTS,
    texts | st.just("mapping"),
    TIMES,
    texts,
)
RIGHTS = st.builds(Rights, st.booleans(), st.booleans(), st.booleans(), st.booleans(), st.booleans(), texts)
RECEIVERS = st.builds(
    Receiver, st.just(SlackUserId("U0DANA")), identity=IDENTITIES, rights=RIGHTS
) | st.builds(Receiver, st.just(SlackUserId("U0DANA")), st.sampled_from(["guest", "not_linked"]))
CASES = st.builds(
    PersonalCase,
    alert=ALERTS,
    repository=REPOSITORIES,
    now=TIMES,
    steps_done=st.integers(0, 3),
    steps_total=st.sampled_from([0, 3]),
    committer_name=MAYBE,
    actor=st.builds(Actor, IDENTITIES, RIGHTS),
    token_owner=st.none() | IDENTITIES,
    receiver=st.none() | RECEIVERS,
    offline=st.booleans(),
)
VALUES = MAYBE | TIMES | st.booleans() | st.lists(texts, max_size=2)
EVENTS = st.builds(
    Event,
    st.just(KEY),
    st.sampled_from(EventKind),
    TIMES,
    st.none() | PEOPLE,
    st.dictionaries(
        st.sampled_from(
            [
                *("before", "after", "verdict", "reason", "until", "login", "resolution"),
                *("comment", "because", "what", "path", "status", "confirmed", "ever_active"),
                *("slack_user", "grants"),
            ]
        ),
        VALUES,
    ),
)
METADATA = '{"alert": "90001/42"}'


@given(CASES, st.integers(0, 10**9))
def test_a_card_with_hostile_text_is_sent(case: PersonalCase, draw: int) -> None:
    sent(draw_card(case, controls(case), draw), card_metadata(case.alert.key))


@given(EVENTS, texts, REPOSITORIES)
def test_a_reply_with_hostile_text_is_sent(event: Event, name: str, where: Repository) -> None:
    sent(draw_reply([event], replace(token(), secret_type_name=name), where, in_channel=True))


@given(CASES, st.fixed_dictionaries({"value": MAYBE}), st.booleans())
def test_a_form_with_hostile_text_opens_or_is_refused(
    case: PersonalCase, given: dict[str, str | None], told: bool
) -> None:
    for action in (CloseAlert(), ReopenAlert(), ReportLeak(), HandOverAlert()):
        try:
            view = action.form(case, given, METADATA)
        except Refused as refused:
            view = refusal_view(refused, callback_id=action.callback_id, title=action.title)
            sent(refusal(refused))
        opened(view)
    try:
        opened(ReportLeak().form(replace(case, owner_told=told), given, METADATA))
    except Refused as refused:
        sent(refusal(refused))


@given(CASES, texts, st.integers(100, 599), st.sampled_from(ReportState), TIMES)
def test_an_answer_with_hostile_text_is_sent(
    case: PersonalCase, resolution: str, status: int, state: ReportState, until: float
) -> None:
    if case.alert.probe is not None:
        sent(probe_answer(case, case.alert.probe, again=True))
    sent(refresh_answer(case))
    sent(closed_answer(case, resolution, ours=True))
    sent(reported_answer(case, inactive=False))
    sent(waiting_answer(case, until))
    sent(failed_answer(case, status))
    sent(report_ended(case.alert, case.repository, state))
    for views in (True, False):
        sent(
            draw_owner_message(
                notice_of(replace(case, owner_views=views, actor_name=case.repository.full_name))
            )
        )
    sent(owner_told_answer(case, case.actor.identity))
    person = case.actor.person
    for grants, card in ((True, case.alert.html_url), (False, None)):
        sent(receiver_message(case.alert, case.repository, person, card, may_view=True, grants=grants))
    receiver = Receiver(SlackUserId("U0DANA"), identity=case.actor.identity, rights=case.actor.rights)
    for effect in Effect:
        sent(handed_over_answer(case, receiver, effect))
    sent(identity_answer(case.actor.identity, case.options))
    sent(role_answer(case.actor.identity, case.repository, case.actor.rights))


@given(texts, texts, texts, REPOSITORIES)
@example("<!channel>", "`x` *y*", "\u202e", repository())
def test_a_refusal_with_hostile_text_is_sent(
    verb_phrase: str, role: str, login: str, where: Repository
) -> None:
    for refused in (
        refusals.lacks_role(verb_phrase, role, login, where, refusals.help_words([role, login], None)),
        refusals.no_view(login, where, refusals.help_words([role, login, verb_phrase], None)),
        own_name_refusals.not_shown(login, where, Mrkdwn(""), Forbidden(verb_phrase, 403, role)),
        refusals.not_linked(SlackUserId(login), by_sign_in=False),
        refusals.github_unreachable(Unreachable(verb_phrase, role, maybe_done=False)),
        refusals.repository_out_of_reach(where),
        internal_error(login),
        Refused(verb_phrase, role, login, verb_phrase),
    ):
        sent(refusal(refused))
        opened(refusal_view(refused, callback_id="close_alert", title=role))
    sent(unknown_word_answer(verb_phrase, SUBCOMMANDS))


@given(CASES, st.lists(EVENTS, max_size=45), st.lists(PLACES, max_size=100))
def test_history_and_locations_with_hostile_text_are_sent(
    case: PersonalCase, events: list[Event], places: list[SecretLocation]
) -> None:
    sent(draw_history(case.alert, case.repository, events))
    sent(draw_locations(case.alert, case.repository, places, more=True))


@given(CASES, texts, PEOPLE, TIMES, MAYBE)
def test_a_checklist_with_hostile_text_is_sent(
    case: PersonalCase, words: str, by: Person, at: float, page: str | None
) -> None:
    # stanch.toml is UTF-8, so it has no half characters; white space around a text is removed.
    words = words.encode(errors="ignore").decode()[:70].strip() or "-"
    steps = [Step(id=name, text=words) for name in ("one", "two")]
    sent(draw_checklist(case, steps, {"one": Tick(by, at)}, 1, token_page=page, uses=None))
