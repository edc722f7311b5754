"""Faults of an installation for the tests of the doctor: each breaks one thing, and mends it afterwards."""

import ssl
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import sqlalchemy as sa
from aiohttp import web
from pydantic import SecretStr

from bot.app import build_accounts, build_github, build_oauth
from bot.flows.doctor.examined import Examined, examined_server
from bot.options import Options
from integrations.github.accounts import GitHubAccount
from integrations.sandbox.github import GitHubInstallation
from integrations.sandbox.github.apps import DEFAULT_EVENTS
from integrations.slack.api import Slack
from integrations.slack.app_level_client import AppLevelClient
from storage import identities, jobs, messages, saved_values, sign_ins, subscriptions
from storage.clock import Clock
from storage.db import Tx
from storage.records import (
    Account,
    ChannelId,
    GitHubId,
    Identity,
    Message,
    MessageKey,
    MessagePurpose,
    NewJob,
    SignIn,
    SlackTeamId,
    SlackUserId,
    StoredTokens,
    Subscription,
)
from storage.tables import job, message
from tests.certificates import certified
from tests.flows.stage import CHANNEL, UNLINKED, Stage

Plant: TypeAlias = Callable[[Stage], AbstractAsyncContextManager[Examined]]
MINE = ChannelId("C0MINE")
FEW_EVENTS = tuple(event for event in DEFAULT_EVENTS if event != "member")


def healthy(stage: Stage, **settings: Any) -> Examined:
    """The installation with some settings changed, and without what its server knows from before."""
    context, changed = stage.context, stage.settings.model_copy(update=settings)
    github = build_github(changed, context.session, context.clock)
    found = examined_server(context)
    token = changed.slack_app_token
    return replace(
        found,
        settings=changed,
        github=github,
        ours=build_accounts(changed, github, context.db),
        slack=Slack(changed.slack_bot_token.get_secret_value(), changed.slack_api_url, context.session),
        oauth=build_oauth(changed, github, context.session, context.clock),
        app_token=None
        if token is None
        else AppLevelClient(token.get_secret_value(), changed.slack_api_url, context.session),
        variables={},
        only_in_file=frozenset(),
        questionable=(),
    )


def with_settings(**settings: Any) -> Plant:
    """The same with other settings."""

    @asynccontextmanager
    async def plant(stage: Stage) -> AsyncIterator[Examined]:
        yield healthy(stage, **settings)

    return plant


def seen_as(**fields: Any) -> Plant:
    """The same with another field of `Examined`."""

    @asynccontextmanager
    async def plant(stage: Stage) -> AsyncIterator[Examined]:
        yield replace(healthy(stage), **fields)

    return plant


def with_row(add: Callable[[Stage, Tx], Any], remove: Callable[[Stage, Tx], Any], **settings: Any) -> Plant:
    """The same with something more in the database."""

    @asynccontextmanager
    async def plant(stage: Stage) -> AsyncIterator[Examined]:
        async with stage.context.db.begin() as tx:
            await add(stage, tx)
        yield healthy(stage, **settings)
        async with stage.context.db.begin() as tx:
            await remove(stage, tx)

    return plant


def on_github(pattern: str, **fault: Any) -> Plant:
    """GitHub answers some calls otherwise."""

    @asynccontextmanager
    async def plant(stage: Stage) -> AsyncIterator[Examined]:
        planned = stage.github.faults.add(pattern, **fault)
        yield healthy(stage)
        stage.github.faults.remove(planned)

    return plant


def on_slack(method: str, error: str, **settings: Any) -> Plant:
    """Slack answers a method with an error."""

    @asynccontextmanager
    async def plant(stage: Stage) -> AsyncIterator[Examined]:
        planned = stage.slack.fail(method, error, times=None)
        yield healthy(stage, **settings)
        stage.slack.faults.remove(planned)

    return plant


def changed(of: Callable[[Stage], object], name: str, value: object, **settings: Any) -> Plant:
    """A field of a stand-in, or of one of its records, has another value."""

    @asynccontextmanager
    async def plant(stage: Stage) -> AsyncIterator[Examined]:
        before = getattr(of(stage), name)
        setattr(of(stage), name, value)
        yield healthy(stage, **settings)
        setattr(of(stage), name, before)

    return plant


def channel_with(**fields: Any) -> Plant:
    """The default channel is otherwise in Slack."""

    @asynccontextmanager
    async def plant(stage: Stage) -> AsyncIterator[Examined]:
        workspace = stage.slack.workspace
        before = workspace.channels[CHANNEL]
        workspace.change_channel(CHANNEL, **fields)
        yield healthy(stage)
        workspace.channels[CHANNEL] = before

    return plant


def without_scope(scope: str, options: Options | None = None) -> Plant:
    @asynccontextmanager
    async def plant(stage: Stage) -> AsyncIterator[Examined]:
        had = scope in stage.slack.scopes
        stage.slack.scopes.discard(scope)
        yield replace(healthy(stage), options=options or Options())
        if had:
            stage.slack.scopes.add(scope)

    return plant


def installation(stage: Stage) -> GitHubInstallation:
    [only] = stage.github.installations.values()
    return only


def without_permission(name: str, *, asked: bool = True) -> Plant:
    """The installation lacks a permission; unless `asked`, the App does not ask for it either."""

    @asynccontextmanager
    async def plant(stage: Stage) -> AsyncIterator[Examined]:
        granted, of_app = installation(stage).permissions, stage.github.app_permissions
        installation(stage).permissions = {key: level for key, level in granted.items() if key != name}
        if not asked:
            stage.github.app_permissions = {key: level for key, level in of_app.items() if key != name}
        yield healthy(stage)
        installation(stage).permissions, stage.github.app_permissions = granted, of_app

    return plant


@asynccontextmanager
async def wrong_client_secret(stage: Stage) -> AsyncIterator[Examined]:
    wrong = healthy(
        stage, github_app_client_id=stage.github.client_id, github_app_client_secret=SecretStr("x")
    )
    yield wrong


@asynccontextmanager
async def no_installation(stage: Stage) -> AsyncIterator[Examined]:
    before = dict(stage.github.installations)
    stage.github.installations.clear()
    yield healthy(stage)
    stage.github.installations.update(before)


@asynccontextmanager
async def account_in_new_hands(stage: Stage) -> AsyncIterator[Examined]:
    named = healthy(stage, github_accounts=frozenset({"octo"}))
    assert named.github is not None
    assert named.ours is not None
    await named.ours.resolve(await named.github.app())
    await named.ours.compare_login(GitHubAccount(99, "octo"), is_current=False)
    yield healthy(stage, github_accounts=frozenset({"octo"}))
    async with stage.context.db.begin() as tx:
        await saved_values.drop(tx, f"account:{stage.settings.github_api_url}:octo")


@asynccontextmanager
async def another_secret_at_github(stage: Stage) -> AsyncIterator[Examined]:
    """The last delivery was signed with a secret that Stanch does not know."""
    github, number = stage.github, len(stage.github.deliveries)
    before, github.webhook_secret = github.webhook_secret, "another webhook secret"
    github.rename_repository(stage.repository, "billing")
    await github.settle()
    yield healthy(stage)
    github.webhook_secret = before
    del github.deliveries[number:]


@asynccontextmanager
async def nobody_at_the_address(stage: Stage) -> AsyncIterator[Examined]:
    """The last delivery reached nobody."""
    github, number = stage.github, len(stage.github.deliveries)
    before, github.webhook_url = github.webhook_url, "http://127.0.0.1:9/github/webhooks"
    github.rename_repository(stage.repository, "invoices")
    await github.settle()
    github.webhook_url = before
    yield healthy(stage)
    del github.deliveries[number:]


@asynccontextmanager
async def one_delivery_failed(stage: Stage) -> AsyncIterator[Examined]:
    """A delivery has failed, and the one after it has not."""
    github, number = stage.github, len(stage.github.deliveries)
    before, github.webhook_url = github.webhook_url, "http://127.0.0.1:9/github/webhooks"
    github.rename_repository(stage.repository, "ledger")
    await github.settle()
    github.webhook_url = before
    github.rename_repository(stage.repository, "payments")
    await github.settle()
    yield healthy(stage)
    del github.deliveries[number:]


@asynccontextmanager
async def job_that_nobody_works(stage: Stage) -> AsyncIterator[Examined]:
    async with stage.context.db.begin() as tx:
        await jobs.enqueue(tx, NewJob("sweep_all", {}, key="forgotten"))
    later = Clock()
    later.advance(stage.clock.offset + 600)
    # Only the time by which a wait is measured is another one.
    yield replace(healthy(stage), clock=later)
    async with stage.context.db.begin() as tx:
        await jobs.cancel(tx, "forgotten")


def identity_of(stage: Stage, user: str, *, suspension: str | None = None) -> Identity:
    account = Account(GitHubId(4242), "octo-twin")
    return Identity(
        SlackTeamId(stage.slack.team_id),
        SlackUserId(user),
        account,
        "mapping",
        0.0,
        "cli",
        suspended_at=None if suspension is None else 0.0,
        suspension=suspension,
    )


def sign_in_of(stage: Stage) -> SignIn:
    tokens = StoredTokens("0badc0de", b"sealed", None, None, None)
    account = Account(GitHubId(4243), "octo-lost")
    return SignIn(SlackTeamId(stage.slack.team_id), SlackUserId(UNLINKED), account, 0.0, 2e9, tokens)


@asynccontextmanager
async def other_server(context: ssl.SSLContext | None = None, *, status: int = 200) -> AsyncIterator[int]:
    """A server that is neither Slack nor GitHub nor Stanch; its port on localhost."""

    async def page(_: web.Request) -> web.Response:
        return web.Response(status=status, text="Welcome")

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", page)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    yield int(runner.addresses[0][1])
    await runner.cleanup()


def untrusted(name: str, path: str = "") -> Plant:
    """The server that this setting names has a certificate that is not trusted."""

    @asynccontextmanager
    async def plant(stage: Stage) -> AsyncIterator[Examined]:
        with tempfile.TemporaryDirectory() as folder:
            context = certified(Path(folder))
        async with other_server(context) as port:
            yield healthy(stage, **{name: f"https://localhost:{port}{path}"})

    return plant


@asynccontextmanager
async def somebody_else_s_page(stage: Stage) -> AsyncIterator[Examined]:
    """People's browsers are sent there."""
    async with other_server() as port:
        yield healthy(stage, stanch_public_url=f"http://localhost:{port}")


@asynccontextmanager
async def proxy_without_server(stage: Stage) -> AsyncIterator[Examined]:
    """People's browsers are sent to a proxy, behind which nothing answers."""
    async with other_server(status=502) as port:
        yield healthy(stage, stanch_public_url=f"http://localhost:{port}")


@asynccontextmanager
async def installed_elsewhere(stage: Stage) -> AsyncIterator[Examined]:
    """The App is installed on an account that is not served, too."""
    before = dict(stage.github.installations)
    stage.github.install(stage.github.add_organization("labs"))
    yield healthy(stage)
    stage.github.installations.clear()
    stage.github.installations.update(before)


def hook_at(url: str | None, **settings: Any) -> Plant:
    """The App's webhook has another address, or none."""
    return changed(lambda stage: stage.github, "webhook_url", url, **settings)


@asynccontextmanager
async def clock_set_back(stage: Stage) -> AsyncIterator[Examined]:
    """GitHub's clock is 100 seconds behind ours, so that it refuses our key."""
    before = stage.github.now
    stage.github.now = lambda: before() - 100
    yield healthy(stage)
    stage.github.now = before


@asynccontextmanager
async def parked_job(stage: Stage) -> AsyncIterator[Examined]:
    """A job of a kind that this version does not know."""
    db = stage.context.db
    async with db.begin() as tx:
        await jobs.enqueue(tx, NewJob("no_such_kind", {}))
    await stage.work()
    yield healthy(stage)
    async with db.begin() as tx:
        await tx.conn.execute(sa.delete(job).where(job.c.state == "parked"))


def message_with(key: str, **fields: Any) -> Plant:
    """There is such a message."""
    new = Message(MessageKey(key), MessagePurpose.NOTICE, MINE, key, None, **fields)

    async def add(_: Stage, tx: Tx) -> None:
        await messages.plan(tx, replace(new, posting_since=tx.now))

    async def remove(_: Stage, tx: Tx) -> None:
        await tx.conn.execute(sa.delete(message).where(message.c.key == key))

    return with_row(add, remove)


def identity_with(user: str, *, suspension: str | None = None, **settings: Any) -> Plant:
    """A Slack user has such a link."""

    async def add(stage: Stage, tx: Tx) -> None:
        await identities.put(tx, identity_of(stage, user, suspension=suspension))

    async def remove(stage: Stage, tx: Tx) -> None:
        await identities.unlink(tx, SlackTeamId(stage.slack.team_id), SlackUserId(user))

    return with_row(add, remove, **settings)


@asynccontextmanager
async def nobody_linked(stage: Stage) -> AsyncIterator[Examined]:
    db = stage.context.db
    async with db.read() as tx:
        before = await identities.all_identities(tx)
    async with db.begin() as tx:
        for one in before:
            await identities.unlink(tx, one.slack_team, one.slack_user)
    yield healthy(stage)
    async with db.begin() as tx:
        for one in before:
            await identities.put(tx, one)


async def _add_sign_in(stage: Stage, tx: Tx) -> None:
    await sign_ins.save(tx, sign_in_of(stage))


async def _remove_sign_in(stage: Stage, tx: Tx) -> None:
    await sign_ins.delete(tx, SlackTeamId(stage.slack.team_id), SlackUserId(UNLINKED))


unreadable_tokens = with_row(_add_sign_in, _remove_sign_in)


def subscription_with(channel: str = CHANNEL, **fields: Any) -> Plant:
    """A channel has such a subscription."""

    async def add(_: Stage, tx: Tx) -> None:
        await subscriptions.add(tx, Subscription(ChannelId(channel), "", **fields))

    async def remove(_: Stage, tx: Tx) -> None:
        await subscriptions.remove(tx, ChannelId(channel))

    return with_row(add, remove)


def saved(name: str, value: object, after: object, **settings: Any) -> Plant:
    """A saved value is another one."""

    async def add(_: Stage, tx: Tx) -> None:
        await saved_values.save(tx, name, value)  # type: ignore[arg-type]  # It is JSON.

    async def remove(_: Stage, tx: Tx) -> None:
        await saved_values.save(tx, name, after)  # type: ignore[arg-type]  # It is JSON.

    return with_row(add, remove, **settings)
