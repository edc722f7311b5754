"""The page's GitHub: its data, its actions, and that it never shows a secret."""

import json
from typing import Any

import pytest

from integrations.sandbox.demo.leaks import HOSTILE
from integrations.sandbox.demo.world import ROLES, octo, payments, role_of
from tests.integrations.sandbox.demo.conftest import DemoServer


async def leak(demo: DemoServer, **fields: Any) -> list[str]:
    repository = payments(demo.stage.github).id
    status, answer = await demo.post("/github/leak", repository=repository, **fields)
    assert status == 200, answer
    found: list[str] = answer["alerts"]
    return found


def _key(alert: str) -> tuple[int, int]:
    repository, number = alert.split("/")
    return int(repository), int(number)


async def test_a_leak_shows_up_on_every_page_without_the_secret(demo: DemoServer) -> None:
    async with demo.page("U0SAM") as (whole, reader):
        before = set(whole["alerts"])
        [key] = await leak(demo, bypassed=True)
        assert key not in before
        alert = (await reader.until("alerts"))[key]
        assert (alert["state"], alert["validity"], alert["bypassed_by"]) == ("open", "unknown", "dana-kim")
        assert alert["token"]["owner"] == "dana-kim"
        assert [entry["what"] for entry in alert["timeline"]] == ["found"]
    [literal] = demo.stage.github.live_tokens
    async with demo.page("U0SAM") as (whole, _):
        assert literal not in json.dumps(whole)


@pytest.mark.parametrize(
    "kind", ["classic", "fine_grained", "oauth", "dead", "stripe", "aws", "private_key", "hostile"]
)
async def test_every_kind_of_secret_leaks(demo: DemoServer, kind: str) -> None:
    [key] = await leak(demo, kind=kind)
    async with demo.page("U0SAM") as (whole, _):
        alert = whole["alerts"][key]
    assert (HOSTILE in alert["places"][0]["path"]) == (kind == "hostile")
    [address] = [str(place.details["html_url"]) for place in demo.stage.github.alerts[_key(key)].locations]
    assert not set(address) & set(" <>`|"), "GitHub encodes the path in a link"


async def test_a_history_scan_leaks_five_hundred(demo: DemoServer) -> None:
    assert len(await leak(demo, count=500)) == 500
    async with demo.page("U0SAM") as (whole, _):
        found = [a for a in whole["alerts"].values() if a["repository"] == "octo/payments"]
    assert len(found) == len({alert["places"][0]["path"] for alert in found}) == 500


async def test_closing_and_reopening_name_the_person(demo: DemoServer) -> None:
    [key] = await leak(demo)
    async with demo.page("U0SAM") as (_, reader):
        done = {"alert": key, "login": "ana-ruiz", "resolution": "used_in_tests", "comment": "A fixture"}
        await demo.post("/github/close", **done)
        alert = (await reader.until("alerts", lambda changed: changed[key]["state"] != "open"))[key]
        assert (alert["state"], alert["resolution"], alert["resolved_by"], alert["comment"]) == (
            "resolved",
            "used_in_tests",
            "ana-ruiz",
            "A fixture",
        )
        assert (await demo.post("/github/close", **done))[1] == {"problem": "It is closed already."}
        await demo.post("/github/reopen", alert=key, login="ana-ruiz")
        await reader.until("alerts", lambda changed: changed[key]["state"] == "open")


async def test_an_alerts_page_has_its_place_its_assignee_and_what_changed(demo: DemoServer) -> None:
    [key] = await leak(demo, kind="dead")
    async with demo.page("U0SAM") as (whole, reader):
        [place] = whole["alerts"][key]["places"]
        assert (place["path"], place["line"]) == ("config/deploy.env", 1)
        assert len(place["commit"]) == 40
        await demo.post("/github/assign", alert=key, login="olivia-chen", assignee="ana-ruiz")
        assert (await reader.until("alerts"))[key]["assigned_to"] == "ana-ruiz"
        await demo.post("/github/close", alert=key, login="ana-ruiz", resolution="wont_fix")
        timeline = (await reader.until("alerts"))[key]["timeline"]
        assert [(e["by"], e["what"], e["old"], e["new"]) for e in timeline] == [
            ("GitHub", "found", None, "open"),
            ("olivia-chen", "assignee", "nobody", "ana-ruiz"),
            ("ana-ruiz", "state", "open", "closed as won't fix"),
        ]
        await demo.post("/github/assign", alert=key, login="olivia-chen", assignee="")
        assert (await reader.until("alerts"))[key]["assigned_to"] is None
    status, answer = await demo.post("/github/assign", alert=key, login="ana-ruiz", assignee="ravi-patel")
    assert (status, answer) == (400, {"problem": "An assignee needs write access to the repository."})


async def test_a_revoked_token_stops_working_without_a_webhook(demo: DemoServer) -> None:
    [key] = await leak(demo)
    async with demo.page("U0SAM") as (_, reader):
        await demo.post("/github/revoke", alert=key)
        await reader.until("alerts", lambda changed: changed[key]["token"]["dead_at"] is not None)
    status, answer = await demo.post("/github/revoke", alert=key)
    assert (status, answer) == (400, {"problem": "There is no working token behind this alert."})


async def test_a_renamed_repository_keeps_its_alerts(demo: DemoServer) -> None:
    [key] = await leak(demo)
    repository = payments(demo.stage.github).id
    async with demo.page("U0SAM") as (_, reader):
        await demo.post("/github/rename", repository=repository, name="billing")
        await reader.until("alerts", lambda changed: changed[key]["repository"] == "octo/billing")
    for name in ("", "a b", "../x", "x" * 101):
        status, _ = await demo.post("/github/rename", repository=repository, name=name)
        assert status == 400, name
    status, _ = await demo.post("/github/rename", repository=repository, name="web")
    assert status == 400, "the name is taken"


@pytest.mark.parametrize("role", list(ROLES))
async def test_setting_a_role_removes_all_others(demo: DemoServer, role: str) -> None:
    github = demo.stage.github
    for login in ("olivia-chen", "sam-okafor", "ravi-patel", "theo-lang"):
        status, _ = await demo.post("/github/role", login=login, role=role)
        user = github.user(login)
        assert status == 200
        assert user is not None
        assert role_of(github, user) == role
        assert (user.id in octo(github).members) == (role != "none")


async def test_a_failed_webhook_can_be_redelivered(demo: DemoServer) -> None:
    github = demo.stage.github
    github.webhook_url = "http://127.0.0.1:1/github/webhooks"
    await leak(demo)
    await github.settle()
    async with demo.page("U0SAM") as (whole, _):
        assert whole["github"]["failed_deliveries"] == 1
    github.webhook_url = demo.stage.slack.events_url
    await demo.post("/github/redeliver")
    await github.settle()
    async with demo.page("U0SAM") as (whole, _):
        assert whole["github"]["failed_deliveries"] == 0
    first, second = github.deliveries
    assert (second.guid, second.redelivery) == (first.guid, True)


async def test_an_impossible_action_is_refused_with_a_sentence(demo: DemoServer) -> None:
    [key] = await leak(demo)
    repository = payments(demo.stage.github).id
    for action, fields in (
        ("explode", {}),
        ("leak", {"repository": repository, "kind": "nuclear"}),
        ("leak", {"repository": repository, "count": 501}),
        ("leak", {"repository": repository, "count": "many"}),
        ("leak", {"repository": 1}),
        ("close", {"alert": "x", "login": "ana-ruiz", "resolution": "revoked"}),
        ("close", {"alert": "1/1", "login": "ana-ruiz", "resolution": "revoked"}),
        ("close", {"alert": key, "login": "nobody", "resolution": "revoked"}),
        ("close", {"alert": key, "login": "ana-ruiz", "resolution": "bored"}),
        ("close", {"alert": key, "login": "ana-ruiz", "resolution": "revoked", "comment": "x" * 281}),
        ("role", {"login": "ana-ruiz", "role": "queen"}),
        ("role", {"login": "nobody", "role": "owner"}),
    ):
        status, answer = await demo.post(f"/github/{action}", **fields)
        assert status == 400, (action, fields)
        assert answer["problem"]
    assert demo.stage.github.violations == []


async def test_an_authorization_is_shown_and_revoked(demo: DemoServer) -> None:
    github = demo.stage.github
    noor = github.user("noor-haddad")
    assert noor is not None
    github.callback_urls = ["http://127.0.0.1:3999/github/callback"]
    async with demo.page("U0SAM") as (whole, page):
        before = {each["login"]: each["authorized"] for each in whole["github"]["people"]}
        await github.authorize(f"{github.url}/login/oauth/authorize?client_id={github.client_id}", noor)
        await page.until("github", lambda part: _authorized(part) == ["noor-haddad"])
        status, _ = await demo.post("/github/revoke-authorization", of="noor-haddad")
        await page.until("github", lambda part: _authorized(part) == [])

    assert not any(before.values())
    assert (status, noor.id in github.authorizations) == (200, False)


async def test_what_was_not_authorized_is_not_revoked(demo: DemoServer) -> None:
    status, answer = await demo.post("/github/revoke-authorization", of="noor-haddad")

    assert (status, answer["problem"]) == (400, "This person has not authorized Stanch.")


def _authorized(overview: dict[str, Any]) -> list[str]:
    return [each["login"] for each in overview["people"] if each["authorized"]]
