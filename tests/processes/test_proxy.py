"""HTTP_PROXY, HTTPS_PROXY, NO_PROXY and SSL_CERT_FILE hold for all calls to Slack and GitHub."""

import asyncio
import sys
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.certificates import certified
from tests.processes.bot import run_command
from tests.processes.proxy import Proxy, open_proxy
from tests.processes.scene import RECOVERED, Scene
from tests.processes.waiting import until

pytestmark = pytest.mark.either_database

SQLITE_ALONE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
NETRC = "machine 127.0.0.1 login somebody password else\n"


async def _report(scene: Scene) -> None:
    """A secret leaks and is reported: probes, the report, and messages of all kinds."""
    await scene.leak(validity="active")
    await scene.submit_report()
    await until(lambda: "Reported" in scene.card().shown_text, "the card says so", within=RECOVERED)
    await scene.idle()
    await scene.bring_forward("follow_up")
    await scene.idle()


def _environment(scene: Scene, proxy: Proxy, **more: str) -> dict[str, str]:
    (scene.directory / "netrc").write_text(NETRC)
    return {"HTTP_PROXY": proxy.address, "NETRC": str(scene.directory / "netrc"), **more}


@SQLITE_ALONE
@pytest.mark.parametrize("socket_mode", [False, True], ids=["http", "socket mode"])
async def test_every_call_goes_through_the_proxy(scene: Scene, socket_mode: bool) -> None:
    async with open_proxy() as proxy:
        changes = _environment(scene, proxy)
        if socket_mode:
            changes["SLACK_APP_TOKEN"] = scene.slack.app_token
            scene.slack.use_socket_mode()
        await scene.start(**changes)
        await _report(scene)
        base = urlsplit(scene.github.api_url)
        seen = Counter(proxy.paths(base.port))
        for call in scene.github.requests:
            assert seen[call.method, base.path + call.path.partition("?")[0]], call.path
        assert sum(seen.values()) == len(scene.github.requests)
        assert scene.github.calls("POST", "/credentials/revoke")
        assert scene.github.calls("GET", "/rate_limit"), "no probe"
        through = Counter(
            path.rpartition("/")[2] for _, path in proxy.paths(urlsplit(scene.slack.origin).port)
        )
        for slack_call in scene.slack.requests:
            assert slack_call.method == "response_url" or through[slack_call.method], slack_call.method
        assert sum(through.values()) == len(scene.slack.requests) + socket_mode
        assert proxy.refused == 0
        await scene.bot.kill()


@SQLITE_ALONE
async def test_no_proxy_holds_for_slack_and_github(scene: Scene) -> None:
    async with open_proxy() as proxy:
        ports = {name: urlsplit(address).port for name, address in _servers(scene).items()}
        await scene.start(**_environment(scene, proxy, NO_PROXY=f"127.0.0.1:{ports['slack']}"))
        await _report(scene)
        assert proxy.paths(ports["slack"]) == []
        assert len(proxy.paths(ports["github"])) == len(scene.github.requests)
        await scene.bot.kill()
        before = len(proxy.seen)
        await scene.start(**_environment(scene, proxy, NO_PROXY="localhost, 127.0.0.1"))
        assert len(proxy.seen) == before
        await scene.bots[-1].kill()


def _servers(scene: Scene) -> dict[str, str]:
    return {"slack": scene.slack.origin, "github": scene.github.api_url}


@SQLITE_ALONE
@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1080", "http://", "ftp://proxy.test:21"])
async def test_a_malformed_proxy_setting_is_named(scene: Scene, proxy: str) -> None:
    ended = await run_command({**scene.environment, "HTTPS_PROXY": proxy}, scene.directory, "sync")
    assert ended.status == 1
    assert ended.errors == (
        "HTTPS_PROXY must be the address of an HTTP proxy, as http://proxy.example.com:3128.\n"
    )


CALL = """
import asyncio, sys
from bot.app import open_session
async def call():
    async with open_session() as session, session.get(sys.argv[1]) as answer:
        print(await answer.text())
asyncio.run(call())
"""


async def test_ssl_cert_file_is_trusted_and_https_goes_through_the_proxy(tmp_path: Path) -> None:
    """As every call goes through this one session; Slack's SDK is given it."""
    context = certified(tmp_path)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nfound")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    address = f"https://localhost:{server.sockets[0].getsockname()[1]}/"
    async with open_proxy() as proxy:
        trusting = {"SSL_CERT_FILE": str(tmp_path / "ca.pem"), "HTTPS_PROXY": proxy.address}
        assert (await _call(address, trusting))[:2] == (0, "found\n")
        assert [method for method, _ in proxy.seen] == ["CONNECT"]
        status, _, errors = await _call(address, {"HTTPS_PROXY": proxy.address})
        assert status == 1
        assert "CERTIFICATE_VERIFY_FAILED" in errors
    server.close()
    await server.wait_closed()


async def _call(address: str, environment: dict[str, str]) -> tuple[int | None, str, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", CALL, address),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={"PYTHONPATH": str(Path(__file__).parents[2]), **environment},
    )
    output, errors = await process.communicate()
    return process.returncode, output.decode(), errors.decode()
