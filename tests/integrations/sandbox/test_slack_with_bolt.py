"""Bolt works against the stand-in Slack."""

from collections.abc import AsyncIterator
from time import time as real_time
from typing import Any

import pytest
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from integrations.sandbox.slack import SlackSandbox
from tests.integrations.sandbox.conftest import Time
from tests.integrations.sandbox.slack_drawings import CARD, FORM, QUIET, section


@pytest.fixture
async def bolt(slack: SlackSandbox, time: Time) -> AsyncIterator[AsyncApp]:
    """A Bolt app that is set up only with address, token and secret."""
    # Bolt checks the age of requests by the real clock.
    time.seconds = real_time()
    client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
    app = AsyncApp(client=client, signing_secret=slack.signing_secret)

    async def handle(request: web.Request) -> web.Response:
        return await to_aiohttp_response(await app.async_dispatch(await to_bolt_request(request)))

    server = web.Application()
    server.router.add_post("/slack/events", handle)
    runner = web.AppRunner(server)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    slack.events_url = f"http://{host}:{port}/slack/events"
    yield app
    await runner.cleanup()


async def test_a_command_opens_a_modal_whose_submit_answers_with_errors(
    slack: SlackSandbox, bolt: AsyncApp
) -> None:
    async def open_form(ack: Any, body: Any, client: Any) -> None:
        await client.views_open(trigger_id=body["trigger_id"], view=FORM)
        await ack()

    async def refuse(ack: Any, view: Any) -> None:
        comment = view["state"]["values"]["comment"]["comment"]["value"]
        await ack(response_action="errors", errors={"comment": f"Not {comment}"})

    bolt.command("/leaks")(open_form)
    bolt.view("close_alert")(refuse)
    opened = await slack.command("U0OLGA", "C0SEC", "close 42")
    view = slack.view("U0OLGA")
    assert (opened.status, opened.error) == (200, None)
    assert view is not None
    result = await slack.submit(
        "U0OLGA", view.id, {"comment": {"comment": "this"}, "sure": {"understood": ["yes"]}}
    )
    assert result.view_errors == {"comment": "Not this"}
    assert slack.complaints == []


async def test_a_click_is_answered_through_its_response_url(
    slack: SlackSandbox, bolt: AsyncApp, api: AsyncWebClient
) -> None:
    async def take(ack: Any, respond: Any) -> None:
        await respond(text="You are on it", blocks=[section("You are on it")])
        await ack()

    bolt.action("take")(take)
    posted = await api.chat_postMessage(channel="C0SEC", text="Leak", blocks=CARD, **QUIET)
    result = await slack.click("U0OLGA", "C0SEC", posted["ts"], "take")
    assert (result.status, result.error) == (200, None)
    assert [m.text for m in slack.private_messages("U0OLGA")] == ["You are on it"]


async def test_a_bad_signature_is_refused_by_bolt(slack: SlackSandbox, bolt: AsyncApp) -> None:
    good = await slack.verify_url()
    assert good.json()["challenge"] == good.payload["challenge"]
    assert good.request is not None
    spoiled = await slack.deliver(good.request.body, signature="v0=" + "0" * 64)
    assert spoiled.status == 401
