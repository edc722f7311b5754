"""The page of the set-up on a shared machine: who can use it, and what it gives away."""

import asyncio
import errno
import re
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from bot.flows.setup.account import ACCOUNT
from bot.flows.setup.github_app import GITHUB_APP
from bot.inbound.setup_routes import IDLE
from integrations.sandbox.github import GitHubSandbox, GitHubUser
from tests.flows.setup.local_page import CODE, SetupRun, open_setup, settings_of

FORM = {"do": "submit", "step": "account", "owner": "organization", "account": "octo"}


@pytest.fixture
async def run(github: GitHubSandbox, owner: GitHubUser, tmp_path: Path) -> AsyncIterator[SetupRun]:
    async with open_setup(tmp_path, (ACCOUNT, GITHUB_APP), settings_of(github, tmp_path), owner) as run:
        yield run


def session_of(text: str) -> str:
    """The hidden field by which a tab knows itself."""
    found = re.search(r'name="session" value="([^"]+)"', text)
    assert found is not None, text
    return found[1]


async def test_the_code_opens_the_page_in_any_case_with_or_without_its_hyphen(run: SetupRun) -> None:
    for typed in (CODE, " k7tp-2m9q ", "K7TP 2M9Q"):
        await run.enter_code(typed)
        assert (run.browser.status, run.title) == (200, "GitHub account")


async def test_five_wrong_codes_end_the_run(run: SetupRun) -> None:
    for left in (4, 3, 2, 1):
        await run.enter_code("AAAA-AAAA")
        assert run.browser.status == 403
        assert f"{left} more tr" in run.fault
    await run.enter_code("AAAA-AAAA")
    assert "five wrong codes" in run.browser.text
    end = await run.routes.wait()
    assert not end.done
    assert "five wrong codes" in end.sentence
    await run.browser.open(run.page)
    assert run.browser.status == 410


async def test_of_many_guesses_at_once_five_are_tried(run: SetupRun) -> None:
    """All requests are under way before the first code is there; the last one has the right code."""
    port = int(run.page.rpartition(":")[2])
    waiting = []
    for guess in [*(f"AAAA-AAA{letter}" for letter in "ABCDEFG"), CODE]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        body = f"code={guess}"
        writer.write(
            f"POST / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: {run.page}\r\nConnection: close\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        )
        await writer.drain()
        waiting.append((reader, writer, body))
    await run.fetch("GET", "/", {})
    answers = []
    for reader, writer, body in waiting:
        writer.write(body.encode())
        answers.append((await reader.read()).decode())
        writer.close()
    assert [answer.split()[1] for answer in answers] == ["403"] * 5 + ["410"] * 3
    assert not any('name="session"' in answer for answer in answers)


async def test_an_empty_code_costs_no_try(run: SetupRun) -> None:
    for _ in range(9):
        assert (await run.fetch("POST", "/", {"Origin": run.page}, {"code": " "}))[0] == 403
    await run.enter_code()
    assert run.browser.status == 200


@pytest.mark.parametrize(
    "host", ["localhost:{port}", "127.0.0.1", "evil.example:{port}", "127.0.0.1:{port}.", "[::1]:{port}"]
)
async def test_another_host_is_refused(run: SetupRun, host: str) -> None:
    port = run.page.rpartition(":")[2]
    for method, path in (("GET", "/"), ("GET", "/github/created?code=a&state=b"), ("POST", "/")):
        headers = {"Host": host.format(port=port), "Origin": run.page}
        status, text = await run.fetch(method, path, headers, {"code": CODE} if method == "POST" else None)
        assert status == 421
        assert "session" not in text


@pytest.mark.parametrize(
    "origin", [None, "null", "http://localhost:{port}", "http://127.0.0.1:1", "https://evil.example"]
)
async def test_a_form_of_another_origin_is_refused_and_costs_no_try(
    run: SetupRun, origin: str | None
) -> None:
    await run.enter_code()
    session = session_of(run.browser.text)
    headers = {} if origin is None else {"Origin": origin.format(port=run.page.rpartition(":")[2])}
    for data in ({"code": CODE}, {**FORM, "session": session}, *({"code": "AAAA-AAAA"},) * 6):
        status, text = await run.fetch("POST", "/", headers, data)
        assert status == 403
        assert "does not come from the set-up" in text
    assert run.written() == {}
    await run.enter_code()
    assert run.browser.status == 200


async def test_a_form_without_the_tab_s_field_does_nothing(run: SetupRun) -> None:
    for session in ("", "guessed"):
        status, text = await run.fetch("POST", "/", {"Origin": run.page}, {**FORM, "session": session})
        assert status == 403
        assert 'name="session"' not in text
    assert run.written() == {}


def refused(other: socket.socket, port: int) -> bool:
    try:
        other.bind(("127.0.0.1", port))
        other.listen()
    except OSError as error:
        return error.errno == errno.EADDRINUSE
    return False


async def test_no_other_process_can_listen_on_the_port(run: SetupRun) -> None:
    port = int(run.page.rpartition(":")[2])
    for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
        with socket.socket() as other:
            other.setsockopt(socket.SOL_SOCKET, option, 1)
            assert refused(other, port)


async def test_the_page_listens_on_this_machine_alone_and_on_a_new_port_each_time(
    run: SetupRun, github: GitHubSandbox, tmp_path: Path
) -> None:
    assert run.page.startswith("http://127.0.0.1:")
    async with open_setup(tmp_path, (ACCOUNT,), {}, github.add_user("other")) as other:
        assert other.page != run.page


async def test_each_answer_keeps_nothing_and_passes_nothing_on(run: SetupRun, github: GitHubSandbox) -> None:
    await run.browser.open(run.page)
    for path in ("/", "/nothing", "/github/created?state=x&code=y"):
        await run.browser.open(run.page + path)
        headers = run.browser.headers
        assert headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["X-Frame-Options"] == "DENY"
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert f"form-action 'self' {github.url};" in policy
        assert "Set-Cookie" not in headers
    await run.enter_code()
    assert "Set-Cookie" not in run.browser.headers
    assert "<script" not in run.browser.text


async def test_nothing_of_the_run_is_in_an_address(run: SetupRun) -> None:
    await run.enter_code()
    session = session_of(run.browser.text)
    assert session not in run.browser.address
    assert CODE not in run.browser.address
    for address in re.findall(r'(?:href|action)="([^"]+)"', run.browser.text):
        assert session not in address


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH"])
async def test_other_methods_and_pages_do_not_exist(run: SetupRun, method: str) -> None:
    assert (await run.fetch(method, "/", {"Origin": run.page}))[0] == 404
    assert (await run.fetch("GET", "/.env", {}))[0] == 404


async def test_a_form_that_is_too_long_or_of_another_kind_is_refused(run: SetupRun) -> None:
    status, _ = await run.fetch("POST", "/", {"Origin": run.page}, {"code": "A" * 70_000})
    assert status == 413
    headers = {"Origin": run.page, "Content-Type": "text/plain"}
    assert (await run.fetch("POST", "/", headers, None))[0] == 403


@pytest.mark.parametrize(
    ("charset", "body"),
    [
        ("; charset=nosuch", b"code=a"),
        ("; charset=rot13", b"code=a"),
        ("", b"\xff\xfe"),
        ("; charset=utf-7", b"session=+2AA-"),
    ],
)
async def test_a_form_in_no_known_charset_is_refused(run: SetupRun, charset: str, body: bytes) -> None:
    """Any process of this machine can send one, and a fault of ours would fill the terminal."""
    headers = {"Origin": run.page, "Content-Type": f"application/x-www-form-urlencoded{charset}"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(run.page, data=body, headers=headers) as response,
    ):
        assert response.status in (400, 403)


async def test_the_run_ends_after_half_an_hour_without_use(run: SetupRun) -> None:
    await run.enter_code()
    waiting = asyncio.ensure_future(run.routes.wait())
    await asyncio.sleep(0)
    run.clock.advance(IDLE - 60)
    await run.browser.send("Continue", account="")  # Refused, but used.
    run.clock.advance(IDLE - 60)
    # Strangers don't keep it open.
    assert (await run.fetch("GET", "/", {}))[0] == 200
    assert not waiting.done()
    run.clock.advance(61)
    end = await waiting
    assert not end.done
    assert "30 minutes" in end.sentence


async def test_a_refused_form_keeps_what_was_typed_and_marks_the_field(run: SetupRun) -> None:
    await run.enter_code()
    await run.browser.send("Continue", account="octo", public_url="http://stanch.octo.example")
    assert "must start with https://" in run.fault
    assert 'name="account" value="octo"' in run.browser.text
    assert re.search(r'name="public_url" [^>]*aria-invalid="true"', run.browser.text)


async def test_settings_that_can_not_be_written_leave_the_step_open(run: SetupRun, tmp_path: Path) -> None:
    await run.enter_code()
    (tmp_path / ".env").mkdir()
    await run.browser.send("Continue", account="octo")
    assert "plain files of its own folder" in run.fault
    (tmp_path / ".env").rmdir()
    await run.browser.send("Try again")
    assert (run.fault, run.title) == ("", "GitHub App")
