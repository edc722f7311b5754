"""Signed and unsigned garbage on every route: never an error of ours, and nothing of it in the log."""

import asyncio
import copy
import gzip
import json
import random
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import aiohttp
import pytest

from integrations.sandbox.slack.transport import signature
from storage import jobs
from storage.clock import Clock
from storage.records import JobState
from tests.flows.outputs import logging_as
from tests.flows.stage import ADMIN, CHANNEL, Stage, open_stage

pytestmark = pytest.mark.either_database
MARK = "a body that no log may hold"
FORM = "application/x-www-form-urlencoded"
POSTED = ("/github/webhooks", "/slack/events", "/github/webhooks/", "/slack/events/")
PAGES = ("/github/link", "/github/callback")
PATHS = (*POSTED, *PAGES, "/healthz", "/readyz", "/metrics", "/", "/%00", "/..%2f..%2fetc")
METHODS = ("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "TRACE", "STANCH")
TYPES = (
    "application/json",
    FORM,
    "application/json; charset=zzz",
    "text/plain",
    "multipart/form-data",
    "/",
    "",
)
BODIES = (
    *(
        b"",
        b"\0",
        b"\xff\xfe",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"1e999",
        b"NaN",
        b'{"a":1,"a":2}',
        b"payload=",
    ),
    *(
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b'{"alert":{"number":1' + b"0" * 5000 + b"}}",
        b"payload=%00&payload=[]",
    ),
    *(
        b'{"type":"block_actions","actions":[{}]}',
        b'{"type":"view_submission","view":{"state":{"values":[]}}}',
    ),
    *(b'{"action":"created","alert":[],"repository":"x"}', b"\xed\xa0\x80", gzip.compress(b"{}")),
)
VALUES: tuple[Any, ...] = (
    None,
    True,
    -1,
    2**70,
    1e308,
    "",
    "\0",
    "\ud800",
    "x" * 5000,
    [],
    {},
    [[]],
    {"": None},
)


async def test_garbage_is_refused_and_not_logged(
    database_url: str, clock: Clock, private_key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    dice = random.Random(7)
    with logging_as("json"):
        async with (
            open_stage(database_url, clock, private_key, sign_in=True) as stage,
            aiohttp.ClientSession() as session,
        ):
            await stage.leak()
            found = await asyncio.gather(*(_send_garbage(stage, session, dice) for _ in range(400)))
            await _say_no_http(stage)
            await stage.work(within=60)
            parked = await _parked(stage)
    log = capsys.readouterr().err
    assert [one for one in found if one[1] >= 500] == []
    assert {200, 400, 401, 404, 405} <= {status for _, status in found}
    assert parked == []
    assert MARK not in log
    assert [line for line in log.splitlines() if '"exc_type"' in line] == []


async def _send_garbage(stage: Stage, session: aiohttp.ClientSession, dice: random.Random) -> tuple[str, int]:
    """One request of any kind; returns what it was, and the status."""
    path = dice.choice(PATHS)
    method = dice.choice(METHODS) if dice.random() < 0.3 else "POST" if path in POSTED else "GET"
    body = dice.choice((*BODIES, json.dumps({"text": MARK, "type": MARK, "action": MARK}).encode()))
    headers = {"Content-Type": dice.choice(TYPES)} if dice.random() < 0.8 else {}
    if dice.random() < 0.6:
        headers |= _signed(stage, path, body)
    if dice.random() < 0.1:
        headers["Content-Encoding"] = dice.choice(("gzip", "br", "zzz"))
    if path in PAGES:
        name, value = (
            dice.choice(("request", "state", "code", "error", "\0")),
            dice.choice((MARK, "\0", "x" * 5000, "é")),
        )
        path += f"?{name}={quote(value)}&{name}=x"
        headers["Cookie"] = dice.choice(
            ("stanch_link=x", f"__Host-stanch={quote(MARK)}", "=", ";;", "a=\udcff")
        )
    data = body if method in ("POST", "PUT") else None
    try:
        async with session.request(
            method, stage.address(path), data=data, headers=headers, allow_redirects=False
        ) as got:
            await got.read()
            return f"{method} {path} {headers} {body[:40]!r}", got.status
    except aiohttp.ClientError:
        # The connection was closed, as for a body that can't be unpacked.
        return f"{method} {path}", 400


def _signed(stage: Stage, path: str, body: bytes) -> Mapping[str, str]:
    """The headers of a real sender of this route."""
    if "github" in path:
        delivery = stage.github.deliveries[0]
        headers = stage.github.headers(delivery, body)
        return {name: value for name, value in headers.items() if name != "Content-Type"}
    at = str(int(stage.clock.now()))
    return {
        "X-Slack-Request-Timestamp": at,
        "X-Slack-Signature": signature(stage.slack.signing_secret, at, body),
    }


async def _say_no_http(stage: Stage) -> None:
    """Bytes that are no request."""
    for data in (
        b"\0\0\0",
        b"GET\r\n\r\n",
        b"POST /slack/events HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"\x16\x03\x01",
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", stage.running.port)
        writer.write(data)
        writer.write_eof()
        assert b" 500 " not in await reader.read()
        writer.close()


async def _parked(stage: Stage) -> list[tuple[str, str | None]]:
    async with stage.context.db.read() as tx:
        return [(job.kind, job.error) for job in await jobs.list_jobs(tx, states=(JobState.PARKED,))]


async def test_a_signed_request_with_any_field_changed_is_no_error_of_ours(
    database_url: str, clock: Clock, private_key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Requests of Slack and GitHub as they come, with one or two fields replaced; then their jobs."""
    async with open_stage(database_url, clock, private_key) as stage:
        await _use_controls(stage)
        with logging_as("json"):
            statuses = await _send_changed(stage, random.Random(11))
            await stage.work(within=60)
        parked = await _parked(stage)
    log = capsys.readouterr().err
    assert statuses <= {200, 202, 400, 404}
    assert parked == []
    assert [line for line in log.splitlines() if '"exc_type"' in line] == []


async def _use_controls(stage: Stage) -> None:
    """Requests of each kind."""
    await stage.leak()
    await stage.click(ADMIN, "check_validity")
    await stage.pick(ADMIN, "more", "history")
    await stage.pick(ADMIN, "close_as", "revoked")
    await stage.slack.submit(ADMIN, stage.form(ADMIN).id, {})
    await stage.slack.command(ADMIN, CHANNEL, "list")
    await stage.work(within=10)


async def _send_changed(stage: Stage, dice: random.Random) -> set[int | None]:
    """Send those requests again, each with something changed; returns the statuses."""
    slack = [one.payload for one in stage.slack.deliveries]
    github = [one for one in stage.github.deliveries if one.event.startswith("secret_scanning")]
    statuses: set[int | None] = set()
    for number in range(100):
        payload = _changed(dice.choice(slack), dice)
        fields = (
            payload if "type" not in payload and "command" in payload else {"payload": json.dumps(payload)}
        )
        body = urlencode(fields, errors="replace").encode()
        statuses.add((await stage.slack.deliver(body, content_type=FORM)).status)
        delivery = dice.choice(github).copy(guid=f"changed-{number}")
        delivery.payload = _changed(delivery.payload, dice)
        statuses.add(await stage.github.send(delivery))
    return statuses


def _changed(payload: Mapping[str, Any], dice: random.Random) -> dict[str, Any]:
    """A copy with one or two fields, at any depth, replaced or removed."""
    changed = copy.deepcopy(dict(payload))
    for _ in range(dice.choice((1, 1, 2))):
        at: Any = changed
        while True:
            name = dice.choice(list(at) if isinstance(at, dict) else range(len(at)))
            if not at[name] or not isinstance(at[name], dict | list) or dice.random() < 0.3:
                break
            at = at[name]
        if isinstance(at, dict) and dice.random() < 0.2:
            del at[name]
        else:
            at[name] = dice.choice(VALUES)
        if not changed:
            break
    return changed
