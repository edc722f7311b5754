"""The step that links the person who sets Stanch up, and makes them an operator."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from bot.database import SET_UP_AT, open_database
from bot.errors import StartRefused
from bot.flows.people.link_by_operator import check_free, make_links
from bot.flows.setup.github_app import github_of, key_of
from bot.flows.setup.slack_calls import asking_slack, slack_of
from bot.flows.setup.step import Known, SetupContext, SetupStep, StepRefused, looks_secret
from bot.rules.outsiders import Workspace, outsider_reason
from bot.setting_values import read_operators
from bot.settings import StorageSettings, load_settings
from bot.views import setup_people as words
from bot.views import setup_slack_refusals as refusals
from bot.views.setup_github_refusals import bad_setting
from bot.views.setup_panel import Panel
from integrations.github.accounts import is_login
from integrations.github.api import GitHub
from integrations.github.errors import GitHubError, NotFound
from integrations.slack.api import Slack
from integrations.slack.errors import PersonUnavailable, SlackError
from integrations.slack.facts import PersonFacts
from storage import identities, saved_values
from storage.db import Database, StorageUnavailable
from storage.records import Account, GitHubId, Identity, SlackTeamId, SlackUserId

MOST = 50
"""People of a channel whom the page lists; in a larger one the id is typed."""
SLACK_USER = re.compile(r"[UW][A-Z0-9]{2,20}")
T = TypeVar("T")


def _done(known: Known) -> bool:
    return known.fact("person") is not None


async def _look(_: SetupContext, known: Known) -> Known:
    """An operator who is linked already; looked for once, so that the step can be repeated."""
    operators = _operators(known)
    if known.fact("operators_looked_up"):
        return known
    known = known.finding(operators_looked_up="yes")
    if not operators:
        return known

    async def work(db: Database) -> Identity | None:
        async with db.read() as tx:
            for user in sorted(operators):
                found = await identities.of_slack(tx, _team(known), SlackUserId(user))
                if found is not None:
                    return found
        return None

    found = await _in_database(work)
    return known if found is None else _found(known, found)


async def _view(context: SetupContext, known: Known) -> Panel:
    slack = slack_of(context, known)
    with asking_slack(known, channel=known.facts["slack_channel"]):
        members = await slack.members(known.values["STANCH_DEFAULT_CHANNEL"], most=MOST)
        found = await asyncio.gather(*(_shown(slack, member) for member in members or ()))
    shown = [one for one in found if one is not None]
    people = sorted((one for one in shown if _outside(known, one) is None), key=lambda one: one.name.lower())
    return words.person_panel(
        [(one.id, one.name) for one in people],
        many=members is None,
        account=known.fact("account") if known.fact("owner") == "user" else None,
    )


async def _shown(slack: Slack, member: str) -> PersonFacts | None:
    """A member of the channel; None for one whom Slack does not show us."""
    try:
        return await slack.person(member)
    except PersonUnavailable:
        return None


async def _submit(context: SetupContext, known: Known, form: Mapping[str, str]) -> Known:
    user, login = form.get("other_user") or form.get("slack_user", ""), form.get("login", "").lstrip("@")
    field = "other_user" if form.get("other_user") or "slack_user" not in form else "slack_user"
    if not user:
        return known  # The list is read again.
    if not SLACK_USER.fullmatch(user):
        raise StepRefused(words.NO_USER_ID, field)
    if not is_login(login) or looks_secret(login):
        raise StepRefused(words.NO_LOGIN, "login")
    facts = await _check_person(context, known, user, field)
    account = await _account(context, known, login)
    link = (_team(known), SlackUserId(user), account)

    async def work(db: Database) -> Identity:
        async with db.begin() as tx:
            await check_free(tx, link)
            [made] = await make_links(tx, [link])
            # A secret that leaks from now on gets a card, though the first sync comes later.
            await saved_values.save(tx, SET_UP_AT, tx.now)
        return made

    made = await _in_database(work)
    operators = ",".join(sorted(_operators(known) | {user}))
    return _found(known, made, facts.name).setting(STANCH_OPERATORS=operators)


def _found(known: Known, identity: Identity, name: str | None = None) -> Known:
    return known.finding(person=f"{name or identity.slack_user} is {identity.github.login}")


async def _check_person(context: SetupContext, known: Known, user: str, field: str) -> PersonFacts:
    """Raises StepRefused for somebody who may never act here."""
    slack = slack_of(context, known)
    try:
        facts = await slack.person(user)
    except PersonUnavailable:
        raise StepRefused(words.UNKNOWN_USER, field) from None
    except SlackError as error:
        raise StepRefused(refusals.not_asked(str(error))) from None
    reason = _outside(known, facts)
    if reason is not None:
        raise StepRefused(words.outsider(facts.name, reason), field)
    return facts


async def _account(context: SetupContext, known: Known, login: str) -> Account:
    """The GitHub account with its numeric id, asked with the App's first installation."""
    try:
        key = key_of(context, known.values["GITHUB_APP_PRIVATE_KEY"])
    except ValueError as fault:
        raise StepRefused(bad_setting("GITHUB_APP_PRIVATE_KEY", str(fault))) from None
    github = github_of(context, known, known.values["GITHUB_APP_ID"], key)
    try:
        installation = await _first_installation(github)
        if installation is None:
            raise StepRefused(words.not_installed(_installation_page(known)))
        found = await github.of(installation).account(login)
    except NotFound:
        raise StepRefused(words.no_account(login, known.github_url), "login") from None
    except GitHubError as error:
        raise StepRefused(words.github_not_asked(str(error))) from None
    if not found.is_person:
        raise StepRefused(words.no_person(found.login, str(found.kind)), "login")
    return Account(GitHubId(found.id), found.login)


async def _first_installation(github: GitHub) -> int | None:
    async for one in github.installations():
        if not one.suspended:
            return one.id
    return None


def _installation_page(known: Known) -> str:
    page = known.fact("app_page")
    return f"{page}/installations/new" if page else f"{known.github_url}/settings/apps"


async def _in_database(work: Callable[[Database], Awaitable[T]]) -> T:
    """Do something in the database of the settings, which is migrated first, as `serve` does."""
    try:
        async with open_database(load_settings(StorageSettings)) as db:
            return await work(db)
    except (StartRefused, StorageUnavailable) as refused:
        raise StepRefused(str(refused)) from None


def _team(known: Known) -> SlackTeamId:
    return SlackTeamId(known.facts["slack_team"])


def _outside(known: Known, person: PersonFacts) -> str | None:
    """Why somebody may never act here; None if they may."""
    return outsider_reason(person, Workspace(_team(known), known.fact("slack_enterprise") or None))


def _operators(known: Known) -> frozenset[str]:
    try:
        return read_operators(known.get("STANCH_OPERATORS") or frozenset())
    except ValueError as fault:
        raise StepRefused(words.bad_operators(str(fault))) from None


PERSON = SetupStep(
    name="person",
    title="You",
    done=_done,
    view=_view,
    submit=_submit,
    look=_look,
    owns=("person",),
    summary=lambda known: known.fact("person") or "",
)
