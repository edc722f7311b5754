"""Corners of who may do what, by signed requests: nothing is configured, a source fails, one person has the right."""

from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import pytest

from bot.flows.people.directory import run_job
from bot.options import DirectoryOptions, Options, ReportOptions
from integrations.github.errors import GitHubError
from integrations.sandbox.github import GitHubSandbox
from integrations.sandbox.slack import SlackSandbox
from integrations.slack.errors import SlackError
from storage.clock import Clock
from tests.flows.approving import ask, decide, request
from tests.flows.stage import ADMIN, MANAGER, OWNER, Stage, open_stage, plain
from tests.flows.test_report import sent
from tests.flows.test_roles import organization

pytestmark = pytest.mark.either_database

NOT_LINKED = "Stanch doesn't know which GitHub account is yours."
DIRECTORY = Options(directory=DirectoryOptions(source="saml", domains=("octo.example",), acts=True))
ANA = "U0ANA"


async def try_everything(stage: Stage, user: str) -> list[str]:
    """What a person reads who tries each kind of control and of look-up."""
    answers = []
    for button in ("take", "check_validity"):
        await stage.click(user, button)
        answers.append(stage.answer_to(user))
    for menu, value in (("more", "history"), ("more", "locations")):
        await stage.pick(user, menu, value)
        answers.append(stage.answer_to(user))
    await stage.click(user, "report_leak")
    answers.append(plain(stage.form(user).shown_text))
    for value in ("revoked", "wont_fix"):
        await stage.pick(user, "close_as", value)
        answers.append(plain(stage.form(user).shown_text))
    look_ups = ("list", "show octo/payments#1", "mine", "whoami", "subscribe", "subscriptions")
    return [*answers, *[await stage.type(user, words) for words in look_ups]]


def effects(stage: Stage) -> list[str]:
    """The calls that changed an alert, reported a secret, or tried it."""
    changing = (*stage.github.calls("PATCH", ".*"), *stage.github.calls("POST", "/credentials/revoke"))
    return [call.path for call in (*changing, *stage.github.calls("GET", "/user"))]


async def test_where_nothing_is_configured_nobody_may_do_anything(
    database_url: str, clock: Clock, private_key: str
) -> None:
    """No operator, no sign-in, no directory: whoever GitHub lets do all has no right here."""

    async def nobody(slack: SlackSandbox, github: GitHubSandbox) -> None:
        """Then nobody is linked."""

    async with open_stage(database_url, clock, private_key, prepare=nobody) as stage:
        await stage.work()
        await stage.leak()
        answers = await try_everything(stage, OWNER)
        assert [answer for answer in answers if NOT_LINKED not in answer] == []
        assert "stanch identities add" in answers[0]
        assert effects(stage) == []
        assert "nobody yet" in stage.read()
        stage.check()


@pytest.fixture
async def directory(database_url: str, clock: Clock, private_key: str) -> AsyncIterator[Stage]:
    """A directory that acts, in which ANA is; she is an admin of the repository."""
    async with open_stage(database_url, clock, private_key, options=DIRECTORY) as stage:
        stage.slack.scopes.add("users:read.email")
        octo = organization(stage)
        ana = stage.github.add_user("ana")
        stage.github.add_member(octo, ana)
        stage.github.add_collaborator(stage.repository, ana, "admin")
        stage.github.add_identity(octo, ana, "ana@octo.example")
        stage.slack.workspace.add_user(ANA, name="Ana", email="ana@octo.example", is_email_confirmed=True)
        await stage.leak()
        yield stage
        stage.check()


def refused_field(stage: Stage) -> None:
    organization(stage).hidden_fields.add("samlIdentityProvider")


def github_down(stage: Stage) -> None:
    stage.github.faults.add("POST /graphql", status=502)


def slack_refuses(stage: Stage) -> None:
    stage.slack.scopes.discard("users:read.email")


async def read(stage: Stage) -> None:
    """Read the directory as the schedule does, whatever comes of it."""
    # What fails is tried again by the worker.
    with suppress(GitHubError, SlackError):
        await run_job(stage.context)
    await stage.work(within=5)


@pytest.mark.parametrize("fault", [refused_field, github_down, slack_refuses])
async def test_while_the_directory_fails_nobody_gets_a_right_and_nobody_loses_one(
    directory: Stage, fault: Callable[[Stage], None]
) -> None:
    stage = directory
    fault(stage)
    await read(stage)
    await stage.click(ANA, "take")
    assert NOT_LINKED in stage.answer_to(ANA)
    assert NOT_LINKED in await stage.type(ANA, "list")
    assert "nobody yet" in stage.read()
    organization(stage).hidden_fields.clear()
    stage.github.faults.clear()
    stage.slack.scopes.add("users:read.email")
    await read(stage)
    fault(stage)
    await read(stage)
    await stage.click(ANA, "take")
    assert f"On it: <@{ANA}> (ana)" in stage.read()
    assert NOT_LINKED not in await stage.type(ANA, "list")


async def test_the_only_person_with_the_right_does_not_approve_their_own_report(
    database_url: str, clock: Clock, private_key: str
) -> None:
    """Nobody else is named, and nobody else with a link can do it either."""
    options = Options(report=ReportOptions(approvals=2))
    async with open_stage(database_url, clock, private_key, options=options) as stage:
        stage.github.remove_collaborator(stage.repository, stage.people[ADMIN])
        stage.github.unassign_organization_role(
            organization(stage), "security_manager", stage.people[MANAGER]
        )
        await ask(stage, OWNER)
        own = await decide(stage, OWNER)
        assert "You asked for this report yourself" in own
        assert "octo-admin" not in own, "somebody is named who has no right"
        assert "octo-sec" not in own
        for user in (ADMIN, MANAGER):
            assert "GitHub doesn't let" in await decide(stage, user)
        stage.clock.advance(3600)
        await stage.work(within=5)
        assert sent(stage) == []
        assert request(stage).action_ids == []
        stage.check()
