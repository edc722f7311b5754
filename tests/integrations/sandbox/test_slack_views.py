"""Modals and the App Home in the stand-in Slack."""

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from integrations.sandbox.slack import ImpossibleGesture, NothingChanged, SlackSandbox, View
from tests.integrations.sandbox.conftest import SmallApp, Time
from tests.integrations.sandbox.slack_drawings import (
    FORM,
    actions,
    button,
    field,
    menu,
    modal,
    plain,
    section,
)


async def opened(
    slack: SlackSandbox, api: AsyncWebClient, view: dict[str, Any] = FORM, user: str = "U0OLGA"
) -> View:
    trigger_id = slack.world.triggers.make(user)
    await api.views_open(trigger_id=trigger_id, view=view)
    shown = slack.view(user)
    assert shown is not None
    return shown


async def test_a_trigger_opens_one_view_within_three_seconds(
    slack: SlackSandbox, api: AsyncWebClient, time: Time
) -> None:
    trigger_id = (await slack.command("U0OLGA", "C0SEC", "close 42")).trigger_id
    time.advance(3)
    view = (await api.views_open(trigger_id=trigger_id, view=FORM))["view"]
    assert (view["callback_id"], view["app_installed_team_id"]) == ("close_alert", slack.team_id)
    assert view["state"]["values"]["comment"]["comment"] == {"type": "plain_text_input", "value": None}
    with pytest.raises(SlackApiError, match="exchanged_trigger_id"):
        await api.views_open(trigger_id=trigger_id, view=FORM)
    late = (await slack.command("U0OLGA", "C0SEC", "close 42")).trigger_id
    time.advance(3.01)
    with pytest.raises(SlackApiError, match="expired_trigger_id"):
        await api.views_open(trigger_id=late, view=FORM)
    with pytest.raises(SlackApiError, match="invalid_trigger_id"):
        await api.views_open(trigger_id="1.2.abc", view=FORM)


@pytest.mark.parametrize(
    ("view", "error", "detail"),
    [
        (modal(section(), title=plain("x" * 25)), "invalid_arguments", "json-pointer:/view/title/text"),
        ({**FORM, "submit": None}, "invalid_arguments", "/view/submit"),
        ({key: FORM[key] for key in FORM if key != "submit"}, "invalid_arguments", "needs submit"),
        (
            modal(field("a", menu("b", "c")), field("a", menu("d", "e"))),
            "invalid_arguments",
            "'a' is there twice",
        ),
        (modal(section(), private_metadata="x" * 3001), "invalid_arguments", "private_metadata"),
        (modal(*[section("y" * 2900)] * 90), "view_too_large", ""),
        ({"type": "home", "blocks": [section()]}, "invalid_arguments", "modal"),
    ],
)
async def test_a_faulty_view_is_refused_with_its_pointer(
    slack: SlackSandbox, api: AsyncWebClient, view: dict[str, Any], error: str, detail: str
) -> None:
    trigger_id = slack.world.triggers.make("U0OLGA")
    with pytest.raises(SlackApiError) as raised:
        await api.views_open(trigger_id=trigger_id, view=view)
    assert raised.value.response["error"] == error
    assert detail in slack.violations[0]
    assert slack.view("U0OLGA") is None


async def test_an_update_with_an_old_hash_is_a_conflict(slack: SlackSandbox, api: AsyncWebClient) -> None:
    first = await opened(slack, api)
    await api.views_update(view_id=first.id, hash=first.hash, view=FORM)
    with pytest.raises(SlackApiError, match="hash_conflict"):
        await api.views_update(view_id=first.id, hash=first.hash, view=FORM)
    with pytest.raises(SlackApiError, match="not_found"):
        await api.views_update(view_id="V404", view=FORM)


async def test_a_view_is_found_by_its_external_id(slack: SlackSandbox, api: AsyncWebClient) -> None:
    await opened(slack, api, {**FORM, "external_id": "one"})
    renamed = await api.views_update(
        external_id="one", view={**FORM, "external_id": "one", "title": plain("New")}
    )
    assert renamed["view"]["title"]["text"] == "New"
    with pytest.raises(SlackApiError, match="duplicate_external_id"):
        await opened(slack, api, {**FORM, "external_id": "one"}, user="U0RENE")


async def test_a_submit_sends_the_state_of_every_field(
    slack: SlackSandbox, api: AsyncWebClient, small_app: SmallApp
) -> None:
    view = await opened(slack, api)
    result = await slack.submit(
        "U0OLGA", view.id, {"comment": {"comment": "Fixed"}, "sure": {"understood": ["yes"]}}
    )
    payload = small_app.payload
    assert (result.status, payload["type"], payload["view"]["id"]) == (200, "view_submission", view.id)
    assert payload["view"]["type"] == "modal"
    assert payload["view"]["state"]["values"] == {
        "comment": {"comment": {"type": "plain_text_input", "value": "Fixed"}},
        "sure": {
            "understood": {
                "type": "checkboxes",
                "selected_options": [{"text": plain("Yes"), "value": "yes"}],
            }
        },
    }
    assert slack.view("U0OLGA") is None


async def test_a_people_picker_offers_everybody_and_dispatches_each_pick_if_it_is_to(
    slack: SlackSandbox, api: AsyncWebClient
) -> None:
    slack.workspace.add_user("U0GUEST", is_restricted=True)
    picker = {"type": "users_select", "action_id": "who"}
    quiet = field("quiet", picker)
    loud = field("loud", {**picker, "action_id": "whom"}) | {"dispatch_action": True}
    view = await opened(slack, api, modal(quiet, loud))
    assert (await slack.select_in_view("U0OLGA", view.id, "who", "U0GUEST")).payload == {}
    [action] = (await slack.select_in_view("U0OLGA", view.id, "whom", "U0GUEST")).payload["actions"]
    assert (action["type"], action["selected_user"]) == ("users_select", "U0GUEST")
    with pytest.raises(NothingChanged):
        await slack.select_in_view("U0OLGA", view.id, "whom", "U0GUEST")
    with pytest.raises(ImpossibleGesture):
        await slack.select_in_view("U0OLGA", view.id, "whom", "U0NOSUCH")
    with pytest.raises(ImpossibleGesture):
        await slack.submit("U0OLGA", view.id, {"loud": {"whom": "U0NOSUCH"}})
    values = (await slack.submit("U0OLGA", view.id)).payload["view"]["state"]["values"]
    assert values["quiet"]["who"] == {"type": "users_select", "selected_user": "U0GUEST"}
    assert values["loud"]["whom"] == {"type": "users_select", "selected_user": "U0GUEST"}


async def test_slacks_client_does_not_submit_an_incomplete_form(
    slack: SlackSandbox, api: AsyncWebClient, small_app: SmallApp
) -> None:
    view = await opened(slack, api)
    result = await slack.submit("U0OLGA", view.id, {"comment": {"comment": "Longer than ten"}})
    assert set(result.view_errors) == {"comment", "sure"}
    assert (result.status, small_app.received) == (None, [])
    forged = await slack.submit("U0OLGA", view.id, {"other": {"field": "x"}}, force=True)
    assert forged.status == 200
    assert small_app.payload["view"]["state"]["values"]["other"]["field"]["value"] == "x"


async def test_the_apps_errors_are_shown_until_the_next_submit(
    slack: SlackSandbox, api: AsyncWebClient, small_app: SmallApp
) -> None:
    view = await opened(slack, api)
    small_app.answer = {"response_action": "errors", "errors": {"comment": "It holds a token."}}
    result = await slack.submit("U0OLGA", view.id, {"sure": {"understood": ["yes"]}})
    assert result.view_errors == {"comment": "It holds a token."}
    shown = slack.view("U0OLGA")
    assert shown is not None
    assert shown.errors == {"comment": "It holds a token."}
    small_app.answer = None
    await slack.submit("U0OLGA", view.id)
    assert small_app.payload["view"]["state"]["values"]["sure"]["understood"]["selected_options"]
    assert slack.view("U0OLGA") is None


@pytest.mark.parametrize(
    "answer",
    [
        {"response_action": "errors", "errors": {"nowhere": "x"}},
        {"response_action": "errors", "errors": {}},
        {"response_action": "close"},
        {"response_action": "update", "view": {"type": "modal"}},
        "ok",
    ],
)
async def test_a_wrong_answer_to_a_submit_shows_an_error(
    slack: SlackSandbox, api: AsyncWebClient, small_app: SmallApp, answer: object
) -> None:
    view = await opened(slack, api)
    small_app.answer = answer
    result = await slack.submit("U0OLGA", view.id, {"sure": {"understood": ["yes"]}})
    assert result.error == "dispatch_failed"
    assert len(slack.violations) == 1
    assert slack.view("U0OLGA") is not None


async def test_the_answer_to_a_submit_can_update_push_or_clear(
    slack: SlackSandbox, api: AsyncWebClient, small_app: SmallApp
) -> None:
    view = await opened(slack, api)
    small_app.answer = {"response_action": "update", "view": modal(section("Again"))}
    await slack.submit("U0OLGA", view.id, {"sure": {"understood": ["yes"]}})
    assert [v.shown_text for v in slack.views("U0OLGA")] == ["Close alert\nAgain"]
    small_app.answer = {"response_action": "push", "view": modal(section("On top"))}
    await slack.submit("U0OLGA", view.id)
    top = slack.view("U0OLGA")
    assert top is not None
    assert (top.previous_view_id, top.root_view_id) == (view.id, view.id)
    with pytest.raises(ImpossibleGesture, match="under another"):
        await slack.submit("U0OLGA", view.id)
    small_app.answer = {"response_action": "clear"}
    await slack.submit("U0OLGA", top.id)
    assert slack.views("U0OLGA") == []


async def test_at_most_three_views_are_stacked(
    slack: SlackSandbox, api: AsyncWebClient, small_app: SmallApp
) -> None:
    view = modal(actions("more", button("next")))
    await opened(slack, api, view)
    for _ in range(2):
        top = slack.views("U0OLGA")[-1]
        clicked = await slack.click_in_view("U0OLGA", top.id, "next")
        await api.views_open(trigger_id=clicked.trigger_id, view=view)
    assert len(slack.views("U0OLGA")) == 3
    clicked = await slack.click_in_view("U0OLGA", slack.views("U0OLGA")[-1].id, "next")
    assert "channel" not in small_app.payload
    assert "response_url" not in small_app.payload
    assert small_app.payload["container"]["type"] == "view"
    with pytest.raises(SlackApiError, match="push_limit_reached"):
        await api.views_open(trigger_id=clicked.trigger_id, view=view)


async def test_typed_text_survives_an_update_under_the_same_ids(
    slack: SlackSandbox, api: AsyncWebClient, small_app: SmallApp
) -> None:
    view = await opened(slack, api)
    small_app.answer = {"response_action": "errors", "errors": {"comment": "No"}}
    await slack.submit("U0OLGA", view.id, {"comment": {"comment": "Typed"}, "sure": {"understood": ["yes"]}})
    updated = await api.views_update(view_id=view.id, view=FORM)
    assert updated["view"]["state"]["values"]["comment"]["comment"]["value"] == "Typed"


async def test_closing_is_delivered_only_with_notify_on_close(
    slack: SlackSandbox, api: AsyncWebClient, small_app: SmallApp
) -> None:
    view = await opened(slack, api)
    assert (await slack.close_view("U0OLGA", view.id)).status is None
    view = await opened(slack, api, {**FORM, "notify_on_close": True})
    await slack.close_view("U0OLGA", view.id, whole_stack=True)
    assert (small_app.payload["type"], small_app.payload["is_cleared"]) == ("view_closed", True)
    assert slack.view("U0OLGA") is None


async def test_a_view_of_an_external_person_has_both_teams(
    slack: SlackSandbox, api: AsyncWebClient, small_app: SmallApp
) -> None:
    view = await opened(slack, api, user="U0XENA")
    await slack.submit("U0XENA", view.id, {"sure": {"understood": ["yes"]}})
    payload = small_app.payload
    assert (payload["team"]["id"], payload["user"]["team_id"]) == ("T0OTHER", "T0OTHER")
    assert payload["view"]["app_installed_team_id"] == slack.team_id


async def test_the_app_home_can_be_published_and_used(
    slack: SlackSandbox, api: AsyncWebClient, small_app: SmallApp
) -> None:
    home = {"type": "home", "blocks": [section("My alerts"), actions("a", button("show_alert"))]}
    published = await api.views_publish(user_id="U0OLGA", view=home)
    shown = slack.home("U0OLGA")
    assert shown is not None
    assert shown.hash == published["view"]["hash"]
    await slack.click_in_view("U0OLGA", shown.id, "show_alert")
    assert small_app.payload["view"]["type"] == "home"
    await api.views_publish(user_id="U0OLGA", view=home, hash=shown.hash)
    with pytest.raises(SlackApiError, match="hash_conflict"):
        await api.views_publish(user_id="U0OLGA", view=home, hash=shown.hash)
    with pytest.raises(SlackApiError, match="invalid_arguments"):
        await api.views_publish(user_id="U0OLGA", view=FORM)
