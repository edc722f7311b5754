"""The page's server: what it serves, to whom, and what it refuses."""

import asyncio
import re
from pathlib import Path

from yarl import URL

from integrations.sandbox.demo import BotState
from integrations.sandbox.demo.server import PAGE, version_of
from integrations.sandbox.demo.world import payments
from tests.integrations.sandbox.demo.conftest import DemoServer


async def test_the_page_loads_nothing_from_elsewhere(demo: DemoServer) -> None:
    async with demo.session.get("/") as response:
        html = await response.text()
        assert response.headers["Content-Security-Policy"].startswith("default-src 'self'")
    for path in re.findall(r'(?:src|href)="([^"#]+)"', html):
        assert path.startswith("/page/"), path
        async with demo.session.get(path) as response:
            assert response.status == 200, path
            assert "immutable" in response.headers["Cache-Control"]


def test_a_changed_file_of_the_page_has_a_new_address(tmp_path: Path) -> None:
    """The browser keeps what it has loaded from the former one."""
    file = tmp_path / "main.js"
    file.write_text("1")
    before = version_of([file])
    file.write_text("2")
    assert version_of([file]) != before


async def test_only_files_of_the_page_are_served(demo: DemoServer) -> None:
    for name in ("..%2Fserver.py", "..%2Fpage%2Fmain.js", "..", "%2Fetc%2Fpasswd", "none.js"):
        async with demo.session.get(URL(f"/page/1/{name}", encoded=True)) as response:
            assert response.status == 404, name


def test_no_file_of_the_page_refers_to_another_host() -> None:
    allowed = {"http://www.w3.org/2000/svg"}
    for file in sorted(Path(PAGE).iterdir()):
        found = set(re.findall(r"https?://[\w./-]+", file.read_text(encoding="utf-8")))
        assert found <= allowed, file.name


def test_every_import_of_the_page_is_one_of_its_files() -> None:
    for file in Path(PAGE).glob("*.js"):
        for name in re.findall(r'from "\./([\w.]+)"', file.read_text(encoding="utf-8")):
            assert (PAGE / name).exists(), f"{file.name} imports {name}"


def test_the_page_draws_every_emoji_of_the_product() -> None:
    icons = (PAGE / "icons.js").read_text(encoding="utf-8")
    drawn = set(re.findall(r"^  (\w+): |, (\w+): digit|^EMOJI\.(\w+) = ", icons, re.MULTILINE))
    golden = Path(__file__).parents[3] / "views" / "golden"
    texts = [file.read_text(encoding="utf-8") for file in sorted(golden.rglob("*.json"))]
    used = {name for text in texts for name in re.findall(r"(?<![\w:]):([a-z][a-z0-9_]+):(?![\w:])", text)}
    assert used - {name for names in drawn for name in names} == set()
    assert "large_orange_circle" in used


async def test_another_site_can_post_nothing(demo: DemoServer) -> None:
    async with demo.session.post(
        "/bot/kill", json={"as": "U0SAM"}, headers={"Origin": "https://evil.example"}
    ) as response:
        assert response.status == 403
    async with demo.session.post("/bot/kill", data={"as": "U0SAM"}) as response:
        assert response.status == 403
    assert demo.bot.commands == []


async def test_a_body_that_is_no_object_is_400(demo: DemoServer) -> None:
    for body in (b"[1]", b"{", b"7"):
        async with demo.session.post(
            "/switch", data=body, headers={"Content-Type": "application/json"}
        ) as response:
            assert response.status == 400


async def test_each_person_sees_their_own_channels(demo: DemoServer) -> None:
    expected = {
        "U0SAM": {"payments-security", "security-alerts", "partners-globex", "Stanch"},
        "U0GRACE": {"payments-security"},
        "U0THEO": {"partners-globex"},
    }
    for person, names in expected.items():
        async with demo.page(person) as (whole, _):
            assert {channel["name"] for channel in whole["channels"]} == names


async def test_an_unknown_person_becomes_the_first_one(demo: DemoServer) -> None:
    async with demo.page("U0NOBODY") as (whole, _):
        assert whole["me"] == "U0SAM"


async def test_pages_follow_the_killing_and_starting_of_the_bot(demo: DemoServer) -> None:
    async with demo.page("U0SAM") as (whole, reader):
        assert whole["bot"] == {"state": "up", "starts": 1, "two_people": False, "last_log_line": ""}
        await demo.post("/bot/kill")
        assert await reader.until("bot") == {
            "state": "down",
            "starts": 1,
            "two_people": False,
            "last_log_line": "SLACK_BOT_TOKEN is not set.",
        }
        await demo.post("/bot/start")
        assert (await reader.until("bot"))["state"] == BotState.UP
    assert demo.bot.commands == ["kill", "start"]


async def test_a_click_waits_for_a_bot_that_starts(demo: DemoServer) -> None:
    demo.bot.set_state("start", BotState.STARTING)
    repository = payments(demo.stage.github).id
    leaking = asyncio.create_task(demo.post("/github/leak", repository=repository))
    typing = asyncio.create_task(demo.post("/slack/command", channel="C0PAYMENTS", text="whoami"))
    async with demo.page("U0SAM") as (whole, reader):
        assert whole["bot"]["state"] == "starting"
        assert await demo.post("/slack/say", channel="C0PAYMENTS", text="Hello") == (200, {})
        assert not leaking.done()
        assert not typing.done()
        assert len(demo.stage.github.alerts) == len(whole["alerts"])
        demo.bot.set_state("started", BotState.UP)
        assert (await reader.until("bot"))["state"] == "up"
    for status, answer in (await leaking, await typing):
        assert (status, answer.get("problem")) == (200, None)


async def test_a_bot_that_serves_is_still_starting_until_the_first_secrets_have_leaked(
    demo: DemoServer,
) -> None:
    demo.stage.opened.clear()
    demo.bot.set_state("start", BotState.UP)
    async with demo.page("U0SAM") as (whole, _):
        assert whole["bot"]["state"] == "starting"


async def test_starting_over_replaces_everything_and_has_pages_loaded_again(demo: DemoServer) -> None:
    former = demo.stage
    await demo.post("/switch", id="github_down", on=True)
    demo.stage.slack.workspace.post_as_app("C0PAYMENTS", "A card")
    async with demo.page("U0SAM") as (_, sam), demo.page("U0ANA") as (_, ana):
        assert await demo.post("/start-over") == (200, {})
        assert await sam.until_event("over") == {}
        assert await ana.until_event("over") == {}
    assert demo.stage is not former
    async with demo.page("U0SAM") as (whole, reader):
        assert whole["messages"] == []
        assert not any(each["on"] for each in whole["switches"])
        demo.stage.slack.workspace.post_as_app("C0PAYMENTS", "A new card")
        assert [m["text"] for m in await reader.until("messages")] == ["A new card"]


async def test_the_audit_log_is_the_bots_export(demo: DemoServer) -> None:
    demo.bot.rows = [{"seq": 1, "action": "take", "outcome": "done"}]
    async with demo.session.get("/audit") as response:
        assert await response.json() == {"rows": demo.bot.rows}


async def test_a_switch_adds_a_fault_until_it_is_turned_off(demo: DemoServer) -> None:
    async with demo.page("U0SAM") as (_, reader):
        await demo.post("/switch", id="slack_limited", on=True)
        shown = {each["id"]: each["on"] for each in await reader.until("switches")}
    assert shown["slack_limited"]
    assert not shown["github_down"]
    [fault] = demo.stage.slack.faults.rules
    assert fault.status == 429
    await demo.post("/switch", id="slack_limited", on=True)
    assert demo.stage.slack.faults.rules == [fault], "a switch that is on adds no second fault"
    await demo.post("/switch", id="slack_limited", on=False)
    assert demo.stage.slack.faults.rules == []


async def test_an_unknown_switch_is_refused_with_a_sentence(demo: DemoServer) -> None:
    assert await demo.post("/switch", id="gravity", on=True) == (400, {"problem": "There is no such switch."})


async def test_a_report_by_two_people_restarts_the_bot(demo: DemoServer) -> None:
    async with demo.page("U0SAM") as (whole, page):
        assert whole["bot"]["two_people"] is False
        status, _ = await demo.post("/two-people", on=True)
        await page.until("bot", lambda part: part["two_people"])

    assert (status, demo.bot.commands) == (200, ["restart"])
