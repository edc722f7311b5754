"""The start ends with one sentence if a setting or server refuses it, and goes on while a server does not answer."""

import asyncio
import ipaddress
import json
import re
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
import sqlalchemy as sa
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.processes.bot import Ended, run_command
from tests.processes.scene import RECOVERED, Scene
from tests.processes.waiting import until

pytestmark = pytest.mark.either_database

SQLITE_ALONE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def refused(scene: Scene, changes: dict[str, str | None], *words: str) -> str:
    """Try to serve with a changed environment; returns the one sentence of the refusal."""
    environment = {**scene.environment, "PORT": "0", **changes}
    user_input = {name: value for name, value in environment.items() if value is not None}
    ended = await run_command(user_input, scene.directory, "serve", *words)
    assert (ended.status, ended.output) == (1, ""), ended
    secrets = ("SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "GITHUB_APP_PRIVATE_KEY", "GITHUB_WEBHOOK_SECRET")
    assert not any(scene.environment[name] in ended.errors for name in secrets)
    return _sentence(ended)


def _sentence(ended: Ended) -> str:
    """The last line; before it there may be log lines, each an object of JSON."""
    *log, sentence = ended.errors.strip().splitlines()
    assert all(line.startswith("{") for line in log), ended.errors
    assert sentence.endswith(".")
    return sentence


@SQLITE_ALONE
async def test_a_missing_or_malformed_setting_is_named(scene: Scene) -> None:
    changes: list[dict[str, str | None]] = [
        {"SLACK_BOT_TOKEN": None},
        {"SLACK_SIGNING_SECRET": None},
        {"GITHUB_APP_ID": None},
        {"GITHUB_APP_PRIVATE_KEY": None},
        {"PORT": "http"},
        {"STANCH_CONFIG": "missing.toml"},
    ]
    for number in range(0, len(changes), 3):
        some = changes[number : number + 3]
        sentences = await asyncio.gather(*(refused(scene, change) for change in some))
        for change, sentence in zip(some, sentences, strict=True):
            assert sentence.startswith(next(iter(change))), sentence


@SQLITE_ALONE
async def test_all_faulty_settings_are_named_at_once_and_doubtful_ones_are_logged(scene: Scene) -> None:
    environment = {**scene.environment, "PORT": "http", "GITHUB_ACCOUNTS": "https://github.com/octo"}
    ended = await run_command(environment, scene.directory, "serve")
    assert (ended.status, ended.output) == (1, "")
    assert [line.partition(" ")[0] for line in ended.errors.splitlines()] == ["GITHUB_ACCOUNTS", "PORT"]
    odd = {"STANCH_DEFAULT_CHANEL": "C0OPS", "STANCH_AUDIT_KEY": "abc", "SLACK_BOT_TOKEN": "xoxb-no"}
    ended = await run_command({**scene.environment, "PORT": "0", **odd}, scene.directory, "serve")
    assert [json.loads(line).get("setting") for line in ended.errors.splitlines()[:2]] == [
        "STANCH_DEFAULT_CHANEL",
        "STANCH_AUDIT_KEY",
    ]
    assert "abc" not in ended.errors


@SQLITE_ALONE
async def test_a_port_or_database_in_use_is_named_and_no_job_is_touched(scene: Scene, tmp_path: Path) -> None:
    await scene.start()
    gate = scene.github.faults.gate(r"GET /repos/.*", at="before", times=None)
    scene.github.leak(scene.repository, token=scene.live_token())
    await gate.reached(timeout=RECOVERED)
    [worker] = await _workers(scene)
    taken: dict[str, str | None] = {
        "PORT": str(scene.bot.port),
        "DATABASE_URL": f"sqlite+aiosqlite:///{tmp_path}/another.db",
    }
    of_port, of_database = await asyncio.gather(refused(scene, taken), refused(scene, {}))
    assert f"127.0.0.1:{scene.bot.port}" in of_port
    assert "is in use by another stanch serve" in of_database

    async def is_held() -> bool:
        return await _workers(scene) == [worker]

    # The held call ends after some seconds; the same worker makes it again.
    await until(is_held, "the same worker has the job", within=RECOVERED)
    listed = await run_command(scene.environment, scene.directory, "jobs", "list")
    assert listed.status == 0, "commands go on beside a server"
    gate.open()
    await until(scene.card, "the card is there")


@SQLITE_ALONE
async def test_after_a_kill_the_database_can_be_used_at_once(scene: Scene) -> None:
    await scene.start()
    await scene.bot.kill()
    await scene.bot.start()
    assert (await scene.bot.readiness())["database"]["state"] == "ok"


@SQLITE_ALONE
async def test_refused_credentials_are_named_with_their_server(scene: Scene) -> None:
    slack = await refused(scene, {"SLACK_BOT_TOKEN": "xoxb-somebody-elses"})
    assert "SLACK_BOT_TOKEN" in slack
    assert scene.slack.origin in slack
    github = await refused(scene, {"GITHUB_APP_ID": "12345"})
    assert "GITHUB_APP_ID" in github
    assert scene.github.api_url in github


@SQLITE_ALONE
@pytest.mark.parametrize(("off", "side"), [(90, "ahead of"), (-900, "behind")])
async def test_a_wrong_clock_is_named_as_the_cause(scene: Scene, off: int, side: str) -> None:
    right = scene.github.now
    scene.github.now = lambda: right() - off
    sentence = await refused(scene, {})
    found = re.search(r"the clock of this machine is (\d+) seconds (ahead of|behind) GitHub's", sentence)
    assert found is not None, sentence
    assert abs(int(found[1]) - abs(off)) < 10
    assert found[2] == side
    assert "claim" in sentence
    assert scene.github.api_url in sentence


@SQLITE_ALONE
async def test_a_refused_key_is_reported_with_githubs_reason(scene: Scene) -> None:
    sentence = await refused(scene, {"GITHUB_APP_ID": "12345"})
    assert "'Issuer' claim ('iss')" in sentence
    assert "clock" not in sentence


@SQLITE_ALONE
async def test_a_database_that_cannot_be_used_is_named(
    scene: Scene, tmp_path: Path, unused_tcp_port: int
) -> None:
    (tmp_path / "picture.db").write_bytes(b"\x89PNG" * 400)
    names = [
        f"sqlite+aiosqlite:///{tmp_path}/missing/stanch.db",
        f"sqlite+aiosqlite:///{tmp_path}/picture.db",
        "sqlite+aiosqlite:////proc/stanch.db",
    ]
    server = f"127.0.0.1:{unused_tcp_port}/stanch"
    sentences = await asyncio.gather(
        *(refused(scene, {"DATABASE_URL": name}) for name in names),
        refused(scene, {"DATABASE_URL": f"postgresql+asyncpg://ana:hidden@{server}"}),
    )
    for name, sentence in zip(names, sentences[:-1], strict=True):
        assert name in sentence
    assert server in sentences[-1]
    assert "hidden" not in sentences[-1]


@SQLITE_ALONE
async def test_a_wrong_database_password_is_not_printed(scene: Scene) -> None:
    async with _server_that_refuses_passwords() as server:
        sentence = await refused(scene, {"DATABASE_URL": f"postgresql+asyncpg://ana:hidden@{server}/stanch"})
    assert server in sentence
    assert "password authentication failed" in sentence
    assert "hidden" not in sentence


async def test_a_database_of_a_newer_version_is_refused(scene: Scene) -> None:
    async with scene.db.begin() as tx:
        await tx.conn.execute(sa.text("UPDATE alembic_version SET version_num = 'from the future'"))
    assert "newer version" in await refused(scene, {})


@SQLITE_ALONE
async def test_without_slack_and_github_it_serves_and_catches_up_later(scene: Scene) -> None:
    """Also over a restart during the outage."""
    for faults in (scene.slack.faults, scene.github.faults):
        faults.add(".*", hang=True)
    bot = scene.new_bot()
    took = await bot.start()
    scene.note(f"ready {took:.1f} s after a start while no server answers")
    scene.point_at(bot)
    await _says_who_is_silent(scene)
    scene.github.leak(scene.repository, token=scene.live_token())
    await scene.github.settle()
    assert [each.status_code for each in scene.github.deliveries] == [202]
    # Now they close connections at once, and the bot is started again.
    await scene.kill()
    scene.calm()
    for faults in (scene.slack.faults, scene.github.faults):
        faults.add(".*", drop="before")
    await bot.start()
    scene.point_at(bot)
    await _says_who_is_silent(scene)
    scene.calm()
    await until(scene.card, "the card is there", within=RECOVERED)
    await until(lambda: _is_well(scene), "it says that both answer", within=RECOVERED)


@SQLITE_ALONE
async def test_without_slack_and_github_readyz_says_so(scene: Scene, unused_tcp_port: int) -> None:
    nowhere = f"http://127.0.0.1:{unused_tcp_port}"
    bot = scene.new_bot(SLACK_API_URL=f"{nowhere}/api/", GITHUB_API_URL=nowhere)
    took = await bot.start()
    scene.note(f"ready {took:.1f} s after a start while nothing listens")
    await _says_who_is_silent(scene)


@SQLITE_ALONE
async def test_an_untrusted_certificate_is_named_as_the_cause(scene: Scene, tmp_path: Path) -> None:
    certificate = tmp_path / "authority.pem"
    async with _server_with_own_certificate(certificate) as address:
        bot = scene.new_bot(SLACK_API_URL=f"{address}/api/", GITHUB_API_URL=address)
        await bot.start()
        ready = await bot.readiness()
        for server in ("slack", "github"):
            assert ready[server]["state"] == "failing"
            assert "certificate that is not trusted here (self-signed certificate)" in ready[server]["reason"]
            assert "SSL_CERT_FILE" in ready[server]["reason"]
        await bot.stop()
        bot.environment["SSL_CERT_FILE"] = str(certificate)
        await bot.start()
        ready = await bot.readiness()
        for server in ("slack", "github"):
            assert "503" in ready[server]["reason"]


async def test_a_start_takes_few_seconds(scene: Scene) -> None:
    bot = scene.new_bot()
    scene.note(f"ready {await bot.start():.1f} s after an ordinary start")


async def _is_well(scene: Scene) -> bool:
    ready = await scene.bot.readiness()
    return all(ready[server]["state"] == "ok" for server in ("slack", "github"))


async def _says_who_is_silent(scene: Scene) -> None:
    bot = scene.bot
    ready = await bot.readiness()
    assert ready["ready"] is True
    assert ready["database"]["state"] == "ok"
    for server in ("slack", "github"):
        assert ready[server]["state"] == "failing"
        assert bot.environment[f"{server.upper()}_API_URL"] in ready[server]["reason"]
        assert "does not answer" in ready[server]["reason"]
    async with aiohttp.ClientSession() as session, session.get(f"{bot.address}/healthz") as health:
        assert health.status == 200


async def _workers(scene: Scene) -> list[str]:
    """The workers of running jobs; AssertionError if one of these jobs was taken over."""
    async with scene.db.read() as tx:
        taken = "SELECT count(*) FROM job WHERE error = 'its worker stopped in the middle'"
        assert await tx.conn.scalar(sa.text(taken)) == 0
        running = sa.text("SELECT DISTINCT worker FROM job WHERE state = 'running'")
        return list(await tx.conn.scalars(running))


@asynccontextmanager
async def _server_that_refuses_passwords() -> AsyncIterator[str]:
    """A PostgreSQL server that refuses every login; PostgreSQL's docs: Frontend/Backend Protocol, message formats."""
    error = b"SFATAL\0VFATAL\0C28P01\0" + b'Mpassword authentication failed for user "ana"\0\0'

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (length := int.from_bytes(await reader.readexactly(4))) == 8:
            # The client asks for TLS first.
            await reader.readexactly(length - 4)
            writer.write(b"N")
        await reader.readexactly(length - 4)
        writer.write(b"E" + (len(error) + 4).to_bytes(4) + error)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, family=socket.AF_INET)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


def _own_certificate(path: Path) -> ssl.SSLContext:
    """Write a self-signed certificate for 127.0.0.1 to `path`."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(here, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path.write_bytes(made.public_bytes(Encoding.PEM))
    secret = path.with_suffix(".key")
    secret.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(path, secret)
    return context


@asynccontextmanager
async def _server_with_own_certificate(path: Path) -> AsyncIterator[str]:
    """Answers 503 over TLS; its certificate is written to `path`."""
    context = _own_certificate(path)

    async def answer(_: web.BaseRequest) -> web.Response:
        return web.Response(status=503)

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        host, port = runner.addresses[0][:2]
        yield f"https://{host}:{port}"
    finally:
        await runner.cleanup()
