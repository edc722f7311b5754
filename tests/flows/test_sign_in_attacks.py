"""Attacks on the linking by sign-in, as docs/security.md lists them."""

import asyncio
import hashlib
import hmac
import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
import sqlalchemy as sa

from bot.flows.people.link_by_operator import remove_link
from bot.flows.people.link_secrets import cookie_name
from bot.flows.people.submit_code import TypedCode, submit_code
from integrations.sandbox.github import GitHubUser, Organization
from storage import sign_ins
from storage.clock import Clock
from storage.records import SlackTeamId, SlackUserId
from storage.tables import link_page, link_request
from tests.flows.outputs import collect_outputs
from tests.flows.planted import find_traces
from tests.flows.sign_in import (
    Browser,
    button_address,
    identity_of,
    link,
    open_window,
    request_id,
    shown_words,
    type_code,
)
from tests.flows.stage import ADMIN, CHANNEL, PUBLIC_URL, UNLINKED, Stage, open_stage

pytestmark = pytest.mark.either_database
SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


@pytest.fixture
async def stage(database_url: str, clock: Clock, private_key: str) -> AsyncIterator[Stage]:
    async with open_stage(database_url, clock, private_key, sign_in=True) as stage:
        yield stage
        stage.check()


@pytest.fixture
async def victim(stage: Stage) -> GitHubUser:
    """An owner of the organization, whom nobody has linked."""
    account = stage.github.add_user("octo-boss")
    octo = stage.github.app_owner
    assert isinstance(octo, Organization)
    stage.github.add_member(octo, account, role="admin")
    return account


async def test_an_address_sent_to_an_owner_ends_with_a_code_that_only_the_owner_sees(
    stage: Stage, victim: GitHubUser
) -> None:
    view = await open_window(stage, UNLINKED)
    shown = await Browser(stage, victim).sign_in(button_address(view))
    assert f"<dd>{UNLINKED}</dd>" in shown.text, "the page does not say for whom"
    assert shown.text.index(UNLINKED) < shown.text.index("nobody"), "a name that people choose comes first"
    await stage.work(within=10)
    assert await identity_of(stage, UNLINKED) is None
    told = json.dumps([message.blocks for message in stage.slack.private_messages(UNLINKED)])
    assert shown.code not in told + shown_words(stage.form(UNLINKED))


async def test_a_scanner_that_opens_the_address_uses_nothing_up(stage: Stage, victim: GitHubUser) -> None:
    address = button_address(await open_window(stage, UNLINKED))
    scanner = Browser(stage, stage.leaker)
    states = {parse_qs(urlsplit(await scanner.go_to_github(address)).query)["state"][0] for _ in range(30)}
    assert len(states) == 30
    async with aiohttp.ClientSession() as session:
        target = stage.address(urlsplit(address).path + "?" + urlsplit(address).query)
        async with session.head(target) as answered:
            assert answered.status == 405
    async with stage.context.db.read() as tx:
        assert (await tx.conn.scalar(sa.select(sa.func.count()).select_from(link_page))) == 20
    shown = await Browser(stage, victim).sign_in(address)
    await type_code(stage, UNLINKED, shown.code)
    assert await identity_of(stage, UNLINKED) is not None


async def test_a_state_works_once(stage: Stage, victim: GitHubUser) -> None:
    browser = Browser(stage, victim)
    at_github = await browser.go_to_github(button_address(await open_window(stage, UNLINKED)))
    callback, cookies = await browser.authorize(at_github), dict(browser.cookies)
    assert (await browser.open(callback)).status == 200
    assert (await browser.open(callback)).status == 403, "without the cookie, which the page has taken away"
    browser.cookies = cookies
    again = await browser.open(callback)
    assert again.status == 410
    assert 'class="code"' not in again.text
    assert len(stage.github.calls("POST", "/login/oauth/access_token")) == 1


async def test_a_callback_in_another_browser_is_refused(stage: Stage, victim: GitHubUser) -> None:
    browser = Browser(stage, victim)
    callback = await browser.authorize(
        await browser.go_to_github(button_address(await open_window(stage, UNLINKED)))
    )
    other = Browser(stage, victim)
    await other.go_to_github(button_address(stage.form(UNLINKED)))
    stolen = parse_qs(urlsplit(callback).query)["state"][0]
    for cookies in (
        {},
        dict(other.cookies),
        dict.fromkeys(browser.cookies, stolen),
        dict.fromkeys(browser.cookies, "x"),
    ):
        refused = await Browser(stage, victim, cookies).open(callback)
        assert refused.status == 403
        assert "did not begin in this browser" in refused.text
    assert stage.github.calls("POST", "/login/oauth/access_token") == []
    assert (await browser.open(callback)).status == 200, "the refused ones have used it up"


async def test_of_two_tabs_the_newest_code_counts(stage: Stage, victim: GitHubUser) -> None:
    address = button_address(await open_window(stage, UNLINKED))
    browser = Browser(stage, victim)
    first, second = await browser.go_to_github(address), await browser.go_to_github(address)
    assert len(browser.cookies) == 2
    newer = await browser.open(await browser.authorize(second))
    browser.account = stage.leaker
    newest = await browser.open(await browser.authorize(first))
    if newer.code != newest.code:
        result = await type_code(stage, UNLINKED, newer.code)
        assert "4 tries are left" in result.view_errors["code"]
    await type_code(stage, UNLINKED, newest.code)
    await stage.work(within=10)
    identity = await identity_of(stage, UNLINKED)
    assert identity is not None
    assert identity.github.id == stage.leaker.id
    assert len(stage.github.calls("DELETE", "/applications/.*/token")) == 1


async def test_five_wrong_codes_end_it_and_a_new_modal_gives_no_more_tries(
    stage: Stage, victim: GitHubUser
) -> None:
    browser = Browser(stage, victim)
    shown = await browser.sign_in(button_address(await open_window(stage, UNLINKED)))
    for left in ("4 tries are", "3 tries are"):
        result = await type_code(stage, UNLINKED, wrong(shown.code))
        assert result.view_errors == {"code": f"That is not the code; {left} left."}
    shown = await browser.sign_in(button_address(await open_window(stage, UNLINKED)))
    for left in ("2 tries are", "1 try is"):
        result = await type_code(stage, UNLINKED, wrong(shown.code))
        assert result.view_errors == {"code": f"That is not the code; {left} left."}
    await type_code(stage, UNLINKED, "not even digits")
    assert "Five wrong codes" in shown_words(stage.slack.view(UNLINKED))
    await stage.slack.close_view(UNLINKED, stage.form(UNLINKED).id)
    await stage.slack.command(UNLINKED, CHANNEL, "link")
    await stage.work()
    assert stage.slack.view(UNLINKED) is None
    assert "Five wrong codes" in stage.answer_to(UNLINKED)
    assert await stage.audited("link_identity") == [("refused", "wrong_code")] * 5
    counted = stage.context.metrics.registry.get_sample_value(
        "stanch_actions_total", {"action": "link_identity", "outcome": "refused"}
    )
    assert counted == 5
    stage.clock.advance(601)
    await link(stage, UNLINKED, victim)
    assert await identity_of(stage, UNLINKED) is not None


async def test_a_submit_that_slack_repeats_counts_once(stage: Stage, victim: GitHubUser) -> None:
    shown = await Browser(stage, victim).sign_in(button_address(await open_window(stage, UNLINKED)))
    first = await type_code(stage, UNLINKED, wrong(shown.code))
    await stage.slack.resend(first.request, {"X-Slack-Retry-Num": "1"})
    result = await type_code(stage, UNLINKED, wrong(shown.code))
    assert "3 tries are left" in result.view_errors["code"]


async def test_the_database_does_not_tell_the_code(stage: Stage, victim: GitHubUser) -> None:
    view = await open_window(stage, UNLINKED)
    shown = await Browser(stage, victim).sign_in(button_address(view))
    async with stage.context.db.read() as tx:
        [page] = (await tx.conn.execute(sa.select(link_page))).mappings().all()
        [request] = (await tx.conn.execute(sa.select(link_request))).mappings().all()
    stored = json.dumps([dict(page), dict(request)], default=repr)
    assert request_id(view) not in stored

    def keyed(key: str) -> str:
        return hmac.new(
            key.encode(), f"{page['state_hash']}:{shown.code}".encode(), hashlib.sha256
        ).hexdigest()

    assert page["code_hash"] == keyed(request_id(view))
    values = ["", *(str(value) for row in (page, request) for value in row.values())]
    assert page["code_hash"] not in {keyed(value) for value in values}
    digests = {hashlib.sha256(f"{value}{shown.code}".encode()).hexdigest() for value in values}
    assert page["code_hash"] not in digests


async def test_a_code_after_ten_minutes_is_refused(stage: Stage, victim: GitHubUser) -> None:
    shown = await Browser(stage, victim).sign_in(button_address(await open_window(stage, UNLINKED)))
    stage.clock.advance(601)
    await type_code(stage, UNLINKED, shown.code)
    assert "can't be finished any more" in shown_words(stage.slack.view(UNLINKED))
    assert await identity_of(stage, UNLINKED) is None


async def test_an_address_after_ten_minutes_opens_nothing(stage: Stage, victim: GitHubUser) -> None:
    address = button_address(await open_window(stage, UNLINKED))
    browser = Browser(stage, victim)
    callback = await browser.authorize(await browser.go_to_github(address))
    stage.clock.advance(601)
    assert (await browser.open(address)).status == 404
    assert (await browser.open(callback)).status == 410
    assert stage.github.calls("POST", "/login/oauth/access_token") == []


async def test_a_code_works_once(stage: Stage, victim: GitHubUser) -> None:
    view = await open_window(stage, UNLINKED)
    shown = await Browser(stage, victim).sign_in(button_address(view))
    metadata = view.private_metadata
    await type_code(stage, UNLINKED, shown.code)
    await stage.type(UNLINKED, "unlink")
    forged = await open_window(stage, UNLINKED)
    forged.content["private_metadata"] = metadata
    await type_code(stage, UNLINKED, shown.code)
    assert "can't be finished any more" in shown_words(stage.slack.view(UNLINKED))
    assert await identity_of(stage, UNLINKED) is None


async def test_another_slack_user_can_not_submit_the_code(stage: Stage, victim: GitHubUser) -> None:
    view = await open_window(stage, UNLINKED)
    shown = await Browser(stage, victim).sign_in(button_address(view))
    forged = await open_window(stage, ADMIN)
    forged.content["private_metadata"] = view.private_metadata
    await type_code(stage, ADMIN, shown.code)
    assert "opened for somebody else" in shown_words(stage.slack.view(ADMIN))
    identity = await identity_of(stage, ADMIN)
    assert identity is not None
    assert identity.github.id == stage.people[ADMIN].id
    await type_code(stage, UNLINKED, shown.code)
    assert await identity_of(stage, UNLINKED) is not None, (
        "the stranger's submit has used a try or the code up"
    )


async def test_a_modal_that_carries_nothing_of_ours_links_nobody(stage: Stage) -> None:
    wrong = ("", "{}", "[]", "null", '{"request": 5}', '{"request": ""}', '{"request": "x"}', "[" * 3000)
    for metadata in wrong:
        view = await open_window(stage, UNLINKED)
        view.content["private_metadata"] = metadata
        await type_code(stage, UNLINKED, "123456")
        assert "can't be finished any more" in shown_words(stage.slack.view(UNLINKED)), metadata[:50]


async def test_a_code_before_the_sign_in_costs_no_try(stage: Stage, victim: GitHubUser) -> None:
    view = await open_window(stage, UNLINKED)
    for _ in range(7):
        result = await type_code(stage, UNLINKED, "123456")
        assert result.view_errors["code"].startswith("Sign in at GitHub first")
    shown = await Browser(stage, victim).sign_in(button_address(view))
    await type_code(stage, UNLINKED, shown.code)
    assert await identity_of(stage, UNLINKED) is not None


async def test_guests_can_not_link(stage: Stage) -> None:
    user = stage.slack.workspace.users[UNLINKED]
    stage.slack.workspace.users[UNLINKED] = replace(user, is_restricted=True)
    await stage.slack.command(UNLINKED, CHANNEL, "link")
    await stage.work()
    assert stage.slack.view(UNLINKED) is None
    assert "You can't use Stanch here." in stage.answer_to(UNLINKED)


async def test_who_was_deactivated_meanwhile_is_not_linked(stage: Stage, victim: GitHubUser) -> None:
    shown = await Browser(stage, victim).sign_in(button_address(await open_window(stage, UNLINKED)))
    user = stage.slack.workspace.users[UNLINKED]
    stage.slack.workspace.users[UNLINKED] = replace(user, is_ultra_restricted=True)
    await type_code(stage, UNLINKED, shown.code)
    await stage.work(within=10)
    assert await identity_of(stage, UNLINKED) is None
    assert len(stage.github.calls("DELETE", "/applications/.*/token")) == 1
    assert ("refused", "guest") in await stage.audited("link_identity")


async def test_the_verifier_goes_to_github_and_nowhere_else(stage: Stage, victim: GitHubUser) -> None:
    await link(stage, UNLINKED, victim)
    [sent] = stage.github.calls("POST", "/login/oauth/access_token")
    assert sent.status == 200
    assert isinstance(sent.body, bytes)
    [verifier] = parse_qs(sent.body.decode())["code_verifier"]
    outputs = await collect_outputs(stage)
    del outputs["calls of GitHub"]
    assert find_traces(outputs, {"the verifier": verifier}) == []


async def test_host_and_parameters_change_no_address(stage: Stage, victim: GitHubUser) -> None:
    address = button_address(await open_window(stage, UNLINKED))
    more = "&redirect_uri=https://evil.example/&return_to=https://evil.example/&state=mine"
    browser = Browser(stage, victim)
    shown = await browser.open(
        address + more,
        Host="evil.example",
        **{"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"},
    )
    assert "evil" not in shown.headers["Location"]
    query = parse_qs(urlsplit(shown.headers["Location"]).query)
    assert query["redirect_uri"] == [f"{PUBLIC_URL}/github/callback"]
    done = await browser.open(
        await browser.authorize(shown.headers["Location"]) + "&return_to=https://evil.example/",
        Host="evil.example",
    )
    assert done.status == 200
    assert "evil" not in done.text


async def test_the_text_of_an_error_is_not_shown(stage: Stage, victim: GitHubUser) -> None:
    browser = Browser(stage, victim)
    address = button_address(await open_window(stage, UNLINKED))
    errors = {"access_denied": 403, "redirect_uri_mismatch": 502, "<script>alert(1)</script>": 403}
    for error, status in errors.items():
        at_github = await browser.go_to_github(address)
        state = parse_qs(urlsplit(at_github).query)["state"][0]
        more = f"error={error}&error_description=Call+0800+1234&error_uri=http://evil"
        shown = await browser.open(f"{PUBLIC_URL}/github/callback?state={state}&{more}")
        assert shown.status == status
        for text in ("0800", "evil", "script", error):
            assert text not in shown.text


async def test_somebody_who_cancels_at_github_is_not_linked(stage: Stage, victim: GitHubUser) -> None:
    browser = Browser(stage, victim)
    at_github = await browser.go_to_github(button_address(await open_window(stage, UNLINKED)))
    shown = await browser.open(await browser.authorize(at_github, cancel=True))
    assert shown.status == 403
    assert "GitHub did not sign you in" in shown.text


async def test_every_page_has_the_security_headers(stage: Stage, victim: GitHubUser) -> None:
    address = button_address(await open_window(stage, UNLINKED))
    browser = Browser(stage, victim)
    redirect = await browser.open(address)
    callback = await browser.authorize(redirect.headers["Location"])
    [cookie] = [value for name, value in redirect.headers.items() if name.lower() == "set-cookie"]
    name, *rules = cookie.split("; ")
    assert name.startswith("__Host-stanch-")
    assert {rule.lower() for rule in rules if not rule.startswith("Max-Age=")} == {
        *("httponly", "secure"),
        *("samesite=lax", "path=/"),
    }
    assert any(re.fullmatch(r"Max-Age=(600|5[0-9]{2})", rule) for rule in rules)
    unknown = await browser.open(f"{PUBLIC_URL}/github/link?request=unknown")
    strange = await browser.open(f"{PUBLIC_URL}/github/callback?state=unknown&code=unknown")
    for shown in (redirect, await browser.open(callback), await browser.open(callback), unknown, strange):
        assert {name: shown.headers[name] for name in SECURITY_HEADERS} == SECURITY_HEADERS
        policy = shown.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "script" not in policy
        assert "<script" not in shown.text


async def test_hostile_names_stay_text(stage: Stage, victim: GitHubUser) -> None:
    user = stage.slack.workspace.users[UNLINKED]
    hostile = "<b>Ana</b> \u202egnp.exe & ghp_" + "a1B2" * 9
    stage.slack.workspace.users[UNLINKED] = replace(user, name=hostile, real_name=hostile)
    shown = await Browser(stage, victim).sign_in(button_address(await open_window(stage, UNLINKED)))
    assert "<b>" not in shown.text
    assert "&lt;b&gt;Ana" in shown.text
    assert "\u202e" not in shown.text
    assert "a1B2a1B2" not in shown.text


def wrong(code: str) -> str:
    """Another code."""
    return f"{(int(code) + 1) % 1_000_000:06d}"


async def test_an_account_of_somebody_else_suspends_both(stage: Stage) -> None:
    await stage.leak()
    shown = await Browser(stage, stage.people[ADMIN]).sign_in(
        button_address(await open_window(stage, UNLINKED))
    )
    await type_code(stage, UNLINKED, shown.code)
    await stage.work(within=10)
    assert "suspended" in shown_words(stage.slack.view(UNLINKED))
    assert "Your GitHub account is linked." not in shown_words(stage.slack.view(UNLINKED))
    for user in (UNLINKED, ADMIN):
        await stage.click(user, "take")
        assert "octo-admin" not in stage.read(), f"{user} still acts as the account"
        assert "suspended" in stage.answer_to(user)


async def test_a_request_does_not_go_on_while_the_link_is_suspended(stage: Stage) -> None:
    await stage.leak()
    await stage.click(UNLINKED, "take")
    refused = stage.slack.private_messages(UNLINKED)[-1]
    await stage.slack.click(UNLINKED, CHANNEL, refused.ts, "offer_link")
    await stage.work()
    shown = await Browser(stage, stage.people[ADMIN]).sign_in(button_address(stage.form(UNLINKED)))
    await type_code(stage, UNLINKED, shown.code)
    await stage.work(within=10)
    assert "octo-admin" not in stage.read()


async def test_ending_a_sign_in_gives_no_more_tries(stage: Stage, victim: GitHubUser) -> None:
    """Neither an own account that is linked in between nor `/leaks unlink` begins the count of wrong codes anew."""
    view = await open_window(stage, UNLINKED)
    shown = await Browser(stage, victim).sign_in(button_address(view))
    for _ in range(3):
        await type_code(stage, UNLINKED, wrong(shown.code))
    own = await Browser(stage, stage.leaker).sign_in(button_address(view))
    await type_code(stage, UNLINKED, own.code)
    await stage.work(within=10)
    assert await identity_of(stage, UNLINKED) is not None
    await stage.type(UNLINKED, "unlink")
    shown = await Browser(stage, victim).sign_in(button_address(await open_window(stage, UNLINKED)))
    result = await type_code(stage, UNLINKED, wrong(shown.code))
    assert "1 try is left" in result.view_errors["code"]
    await stage.type(UNLINKED, "unlink")
    shown = await Browser(stage, victim).sign_in(button_address(await open_window(stage, UNLINKED)))
    await type_code(stage, UNLINKED, wrong(shown.code))
    assert "Five wrong codes" in shown_words(stage.slack.view(UNLINKED))


async def test_right_codes_use_no_tries_up(stage: Stage) -> None:
    for _ in range(6):
        await link(stage, UNLINKED, stage.leaker)
        assert await identity_of(stage, UNLINKED) is not None
        await stage.type(UNLINKED, "unlink")


async def test_a_tab_that_signs_in_behind_the_typed_code_makes_no_link_without_a_token(
    stage: Stage, victim: GitHubUser
) -> None:
    """The newer tab drops the token of the page whose code was typed; the App must not act instead of it."""
    address = button_address(await open_window(stage, UNLINKED))
    browser = Browser(stage, victim)
    later = await browser.authorize(await browser.go_to_github(address))
    shown = await browser.sign_in(address)
    view = stage.form(UNLINKED)
    typed = TypedCode(
        team=SlackTeamId(stage.slack.team_id),
        user=SlackUserId(UNLINKED),
        view_id=view.id,
        metadata=view.private_metadata,
        code=shown.code,
    )
    assert await submit_code(stage.context, typed) is None
    await browser.open(later)
    await stage.work(within=10)
    async with stage.context.db.read() as tx:
        assert await sign_ins.load(tx, typed.team, typed.user) is None
    assert await identity_of(stage, UNLINKED) is None


async def test_an_operator_who_unlinks_somebody_deletes_the_token_of_their_started_sign_in(
    stage: Stage, victim: GitHubUser
) -> None:
    await link(stage, UNLINKED, stage.leaker)
    await Browser(stage, victim).sign_in(button_address(await open_window(stage, UNLINKED)))
    async with stage.context.db.begin() as tx:
        await remove_link(tx, SlackTeamId(stage.slack.team_id), SlackUserId(UNLINKED))
    await stage.work()
    assert len(stage.github.calls("DELETE", "/applications/.*/token")) == 2


async def test_bytes_of_no_encoding_are_no_error_of_ours(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    """Else every such request of a stranger left a traceback in the log."""
    at = urlsplit(stage.address("/github/callback"))
    reader, writer = await asyncio.open_connection(at.hostname, at.port)
    cookie = cookie_name("x").encode() + b"=\xff\xfe.\xed\xa0\x80"
    writer.write(b"GET /github/callback?state=x&code=y HTTP/1.1\r\nHost: x\r\nConnection: close\r\n")
    writer.write(b"Cookie: " + cookie + b"\r\n\r\n")
    answered = await reader.read()
    writer.close()
    assert b"403" in answered.splitlines()[0]
    assert "sign_in_page_failed" not in "".join(capsys.readouterr())


async def test_a_form_gives_no_more_tries_either(stage: Stage, victim: GitHubUser) -> None:
    """Where somebody without a link opens a form, the window for linking takes its place."""
    browser = Browser(stage, victim)
    shown = await browser.sign_in(button_address(await open_window(stage, UNLINKED)))
    for _ in range(5):
        await type_code(stage, UNLINKED, wrong(shown.code))
    await stage.slack.close_view(UNLINKED, stage.form(UNLINKED).id)
    await stage.leak()
    await stage.pick(UNLINKED, "close_as", "revoked")
    assert "Five wrong codes" in shown_words(stage.form(UNLINKED))
