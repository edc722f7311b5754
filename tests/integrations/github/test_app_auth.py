"""The App's key and the installation tokens: minted rarely, kept in memory, never shown."""

import asyncio
import traceback

import aiohttp
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from integrations.github.api import GitHub
from integrations.github.app_auth import AppKey, InstallationTokens, Minted, TokenScope
from integrations.github.errors import (
    GitHubError,
    GitHubUnauthorized,
    InstallationGone,
    Invalid,
    NotFound,
    Unavailable,
)
from integrations.literal import Literal
from integrations.sandbox.github import GitHubRepository, GitHubSandbox
from integrations.sandbox.github.apps import DEFAULT_PERMISSIONS
from tests.integrations.github.conftest import Time

MINT = r"/app/installations/\d+/access_tokens"


def elliptic_key() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def test_an_rsa_key_in_pem_is_accepted(private_key: str) -> None:
    AppKey("1", private_key, Time())
    AppKey("1", "\n" + private_key.replace("\n", "\r\n"), Time())


@pytest.mark.parametrize("kind", ["empty", "text", "cut", "path", "elliptic"])
def test_any_other_key_raises_an_error_that_does_not_quote_it(private_key: str, kind: str) -> None:
    pem = {
        "empty": "",
        "text": "not a key at all",
        "cut": private_key[:-200],
        "path": "/etc/stanch/key.pem",
        "elliptic": elliptic_key(),
    }[kind]
    with pytest.raises(ValueError, match=r"^not an RSA private key in PEM$") as caught:
        AppKey("1", pem, Time())
    assert caught.value.__context__ is None


def test_keys_and_tokens_are_not_in_their_repr(private_key: str) -> None:
    key = AppKey("1", private_key, Time())
    minted = Minted(Literal("ghs_" + "t" * 36), 1.0)
    for text in (repr(key), repr(minted), str(key)):
        assert "PRIVATE" not in text
        assert "ttt" not in text


async def test_the_jwt_is_renewed_before_it_expires(private_key: str) -> None:
    time = Time()
    key = AppKey("1", private_key, time)
    first = await key.token()
    assert await key.token() is first
    time.seconds += 170
    assert await key.token() is first
    time.seconds += 20
    assert await key.token() is not first
    assert not key.on_unauthorized(first)


async def test_the_app_is_authorized_at_any_time(sandbox: GitHubSandbox, github: GitHub, time: Time) -> None:
    for _ in range(6):
        await github.app()
        time.seconds += 200
    time.seconds += 7 * 24 * 3600
    await github.app()


async def test_the_jwt_is_renewed_after_the_clock_was_set_back(
    sandbox: GitHubSandbox, session: aiohttp.ClientSession, time: Time
) -> None:
    """Our clock was fast, so GitHub refused the JWT; after the correction the next call works."""
    ours = Time(time.seconds + 90)
    github = GitHub(
        session,
        api_url=sandbox.api_url,
        url=sandbox.url,
        app_id=str(sandbox.app_id),
        private_key=sandbox.private_key,
        version="1.2.3",
        now=ours,
    )
    with pytest.raises(GitHubUnauthorized, match="'Issued at' claim") as refused:
        await github.app()
    assert refused.value.clock_ahead == pytest.approx(90, abs=1)
    ours.seconds = time.seconds
    assert (await github.app()).owner.id == sandbox.app_owner.id


@pytest.mark.parametrize("date", [None, "yesterday", ""])
async def test_a_401_without_a_date_gives_no_clock_difference(
    sandbox: GitHubSandbox, github: GitHub, date: str | None
) -> None:
    headers = {} if date is None else {"Date": date}
    sandbox.faults.add("GET /app", times=1, status=401, headers=headers, body={"message": "Bad credentials"})
    with pytest.raises(GitHubUnauthorized, match="Bad credentials") as refused:
        await github.app()
    if date is not None:
        assert refused.value.clock_ahead is None


async def test_simultaneous_calls_share_one_minted_token(
    sandbox: GitHubSandbox, github: GitHub, payments: GitHubRepository
) -> None:
    access = github.of(sandbox.install(sandbox.app_owner).id).only(payments.id)
    await asyncio.gather(*(access.repository("octo/payments") for _ in range(10)))
    await access.repository("octo/payments")
    assert len(sandbox.calls("POST", MINT)) == 1


async def test_each_repository_has_its_own_token(sandbox: GitHubSandbox, github: GitHub) -> None:
    payments = sandbox.add_repository(sandbox.app_owner, "payments")
    api = sandbox.add_repository(sandbox.app_owner, "api")
    installation = github.of(sandbox.install(sandbox.app_owner).id)
    for _ in range(2):
        await installation.account("octo")
        await installation.only(payments.id).repository("octo/payments")
        await installation.only(api.id).repository("octo/api")
    assert [call.body for call in sandbox.calls("POST", MINT)] == [
        {"permissions": DEFAULT_PERMISSIONS},
        {"permissions": DEFAULT_PERMISSIONS, "repository_ids": [payments.id]},
        {"permissions": DEFAULT_PERMISSIONS, "repository_ids": [api.id]},
    ]
    with pytest.raises(NotFound):
        await installation.only(api.id).repository("octo/payments")


async def test_only_a_token_for_a_commit_can_read_contents(
    sandbox: GitHubSandbox, github: GitHub, payments: GitHubRepository
) -> None:
    """Though the account granted more: also permissions that Stanch never needs, and write access."""
    granted = DEFAULT_PERMISSIONS | {"contents": "write", "administration": "write", "issues": "write"}
    installation = github.of(sandbox.install(sandbox.app_owner, permissions=granted).id)
    leaked = sandbox.leak(payments, author=sandbox.add_user("dana-kim"))
    sha = sandbox.commit_of(leaked).sha
    assert await installation.may_read_contents()
    await installation.account("octo")
    await installation.only(payments.id).repository("octo/payments")
    commit = await installation.commit(payments.id, "octo/payments", sha)
    assert commit.author is not None
    assert (commit.sha, commit.author.login, commit.verified) == (sha, "dana-kim", False)
    usual = DEFAULT_PERMISSIONS | {"administration": "read"}
    assert [call.body for call in sandbox.calls("POST", MINT)] == [
        {"permissions": usual},
        {"permissions": usual, "repository_ids": [payments.id]},
        {"permissions": {"contents": "read"}, "repository_ids": [payments.id]},
    ]
    reading = sandbox.calls("GET", "/repos/.*")
    assert [("contents" in call.permissions, "/commits/" in call.path) for call in reading] == [
        (False, False),
        (True, True),
    ]


async def test_without_the_permission_no_commit_is_read(
    sandbox: GitHubSandbox, github: GitHub, payments: GitHubRepository
) -> None:
    installed = sandbox.install(sandbox.app_owner)
    installation = github.of(installed.id)
    assert not await installation.may_read_contents()
    await installation.only(payments.id).repository("octo/payments")
    assert len(sandbox.calls("GET", r"/app/installations/\d+")) == 1


async def test_permissions_that_were_taken_back_are_asked_again_when_a_token_is_refused(
    sandbox: GitHubSandbox, github: GitHub, payments: GitHubRepository, time: Time
) -> None:
    installed = sandbox.install(sandbox.app_owner, permissions=DEFAULT_PERMISSIONS | {"contents": "read"})
    installation = github.of(installed.id)
    await installation.account("octo")
    del installed.permissions["organization_custom_roles"]
    await installation.only(payments.id).repository("octo/payments")
    del installed.permissions["contents"]
    with pytest.raises(Invalid):
        await installation.commit(payments.id, "octo/payments", "0" * 40)
    assert not await installation.may_read_contents()


async def test_a_removed_installation_has_no_permissions(sandbox: GitHubSandbox, github: GitHub) -> None:
    installed = sandbox.install(sandbox.app_owner)
    sandbox.uninstall(installed)
    with pytest.raises(InstallationGone):
        await github.of(installed.id).may_read_contents()


async def test_a_token_is_not_used_in_its_last_five_minutes(
    sandbox: GitHubSandbox, github: GitHub, payments: GitHubRepository, time: Time
) -> None:
    access = github.of(sandbox.install(sandbox.app_owner).id).only(payments.id)
    await access.repository("octo/payments")
    time.seconds += 54 * 60
    await access.repository("octo/payments")
    assert len(sandbox.calls("POST", MINT)) == 1
    time.seconds += 2 * 60
    await access.repository("octo/payments")
    assert len(sandbox.calls("POST", MINT)) == 2


async def test_a_refused_token_is_replaced_once(
    sandbox: GitHubSandbox, github: GitHub, payments: GitHubRepository
) -> None:
    access = github.of(sandbox.install(sandbox.app_owner).id).only(payments.id)
    await access.repository("octo/payments")
    rule = sandbox.faults.add(r"GET /repos/octo/payments", status=401, times=1)
    assert (await access.repository("octo/payments")).id == payments.id
    assert rule.hits == 1
    assert len(sandbox.calls("POST", MINT)) == 2
    sandbox.faults.add(r"GET /repos/octo/payments", status=401)
    with pytest.raises(GitHubUnauthorized):
        await access.repository("octo/payments")
    assert len(sandbox.calls("POST", MINT)) == 3


async def test_a_failed_minting_fails_all_waiting_calls_and_is_retried_later(
    sandbox: GitHubSandbox, github: GitHub, payments: GitHubRepository
) -> None:
    access = github.of(sandbox.install(sandbox.app_owner).id).only(payments.id)
    rule = sandbox.faults.add(f"POST {MINT}", status=503)
    outcomes = await asyncio.gather(
        *(access.repository("octo/payments") for _ in range(5)), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes] == [Unavailable] * 5
    assert len(sandbox.calls("POST", MINT)) == 1
    sandbox.faults.remove(rule)
    await access.repository("octo/payments")


async def test_a_cancelled_call_does_not_cancel_the_minting_for_others(
    sandbox: GitHubSandbox, github: GitHub, payments: GitHubRepository
) -> None:
    access = github.of(sandbox.install(sandbox.app_owner).id).only(payments.id)
    gate = sandbox.faults.gate(f"POST {MINT}", at="before", times=1)
    impatient = asyncio.create_task(access.repository("octo/payments"))
    patient = asyncio.create_task(access.repository("octo/payments"))
    await gate.reached(timeout=5)
    impatient.cancel()
    gate.open()
    assert (await patient).id == payments.id
    with pytest.raises(asyncio.CancelledError):
        await impatient
    assert len(sandbox.calls("POST", MINT)) == 1


async def test_a_late_refusal_does_not_delete_a_newer_token() -> None:
    time, minted = Time(), iter("abc")

    async def mint(scope: TokenScope) -> Minted:
        return Minted(Literal(next(minted)), time() + 3600)

    tokens = InstallationTokens(mint, time)
    scope = TokenScope(1)
    old = await tokens.get(scope)
    tokens.drop(scope, old)
    new = await tokens.get(scope)
    tokens.drop(scope, old)
    assert await tokens.get(scope) is new
    assert "Literal" not in repr(tokens)


async def test_errors_hold_no_token_and_no_key(
    sandbox: GitHubSandbox, github: GitHub, session: aiohttp.ClientSession, payments: GitHubRepository
) -> None:
    access = github.of(sandbox.install(sandbox.app_owner).id).only(payments.id)
    await access.repository("octo/payments")
    sandbox.faults.add(r"(GET|POST) /(repos|app)/.*", status=500)
    for call in (access.repository("octo/payments"), access.alert("a/b", 1)):
        with pytest.raises(GitHubError) as caught:
            await call
        text = "".join(
            traceback.TracebackException.from_exception(caught.value, capture_locals=True).format()
        )
        assert "ghs_" not in text
        assert "eyJ" not in text
        assert "PRIVATE KEY" not in text
