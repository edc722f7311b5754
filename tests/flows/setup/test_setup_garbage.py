"""Garbage on the page of the set-up, by strangers and in the person's own tab: never an error of ours."""

import random
from pathlib import Path

import aiohttp

from bot.flows.setup.account import ACCOUNT
from bot.flows.setup.github_app import CREATED, GITHUB_APP
from integrations.sandbox.github import GitHubSandbox, GitHubUser
from tests.flows.setup.local_page import SetupRun, open_setup, settings_of
from tests.flows.setup.test_setup_page import FORM, session_of

FORM_TYPE = "application/x-www-form-urlencoded"
BODIES = (
    *(
        b"",
        b"\0",
        b"\xff\xfe",
        b"%",
        b"%ff=%ff",
        b"session=%00",
        b"do=repeat&step=%F0%9F%92%A9",
        b"do=finish&do=submit",
    ),
    *(
        b"step=account&account=" + b"x" * 60_000,
        b"a=" * 30_000,
        b"&" * 60_000,
        b"x" * 70_000,
        b'{"step":"account"}',
    ),
)
VALUES = (
    "",
    "\0",
    "é\ud7ff",
    "x" * 3000,
    "../../etc",
    "<script>",
    "octo\n",
    "organization",
    "account",
    "github_app",
    "-1",
)


async def test_garbage_on_the_page_is_no_error_of_ours(
    github: GitHubSandbox, owner: GitHubUser, tmp_path: Path
) -> None:
    dice = random.Random(3)
    async with (
        open_setup(tmp_path, (ACCOUNT, GITHUB_APP), settings_of(github, tmp_path), owner) as run,
        aiohttp.ClientSession() as session,
    ):
        await run.enter_code()
        found = [await _send(run, session, dice) for _ in range(150)]
        known = session_of(run.browser.text)
        for _ in range(60):
            form = {name: dice.choice((value, *VALUES)) for name, value in FORM.items()}
            headers = {"Origin": run.page, "Content-Type": FORM_TYPE}
            found.append((await run.fetch("POST", "/", headers, {**form, "session": known}))[0])
    assert {status for status in found if status >= 500} == set()
    assert {200, 400, 403, 404} <= set(found)


async def _send(run: SetupRun, session: aiohttp.ClientSession, dice: random.Random) -> int:
    method = dice.choice(("GET", "POST", "PUT", "HEAD", "OPTIONS", "TRACE"))
    path = dice.choice(("/", CREATED, f"{CREATED}?state=%00&code={'x' * 300}", "/.env", "/%00", "/..%2f.env"))
    headers = {
        "Content-Type": dice.choice(
            (FORM_TYPE, "multipart/form-data", "multipart/form-data; boundary=x", "/")
        )
    }
    if dice.random() < 0.8:
        headers["Origin"] = run.page
    if dice.random() < 0.2:
        headers["Content-Encoding"] = dice.choice(("gzip", "br"))
    # A code would use up a try, so none of the bodies has one.
    data = dice.choice(BODIES) if method in ("POST", "PUT") else None
    try:
        async with session.request(
            method, run.page + path, data=data, headers=headers, allow_redirects=False
        ) as got:
            await got.read()
            return got.status
    except aiohttp.ClientError:
        # aiohttp answers 400 with a body, also to HEAD.
        return 400
