"""The secrets of a link, and the request that goes on afterwards, as pure functions: what comes back is untrusted."""

import json
from dataclasses import replace

import pytest

from bot.flows.people.continue_request import continue_request, read_waiting, stored_waiting
from bot.flows.people.link_secrets import code_hash, new_code, new_cookie, read_code, request_of, state_of
from bot.job_kinds import AnswerButton, AnswerCommand, FillForm, HandleDelivery, PerformAction, ShowDetails
from bot.job_rows import job_text
from bot.people_job_kinds import FinishLink
from bot.requests import ActionRequest, CommandRequest
from bot.rules.continuation import LASTS
from bot.views.link_account import FORM_OPENS, GOES_ON, PRESS_AGAIN, START_ANEW
from storage.records import AlertKey, ChannelId, LinkRequest, SlackTeamId, SlackUserId

pytestmark = pytest.mark.either_database

AT = 1_795_488_000.0
CLICK = ActionRequest(
    action="take",
    alert=AlertKey.parse("90001/42"),
    team=SlackTeamId("T0OTHER"),
    user=SlackUserId("U0OTHER"),
    at=AT,
    channel=ChannelId("C0ALERTS"),
    response_url="https://hooks.slack.com/actions/1",
)
COMMAND = CommandRequest(
    user=SlackUserId("U0OTHER"),
    team=SlackTeamId("T0OTHER"),
    channel=ChannelId("C0ALERTS"),
    text="list",
    at=AT,
)
STARTED = LinkRequest("h", SlackTeamId("T0OCTO"), SlackUserId("U0NEW"), None, "V1", None, AT, AT + 600)


@pytest.mark.parametrize(
    "text",
    [
        *("", "-", "null", "[]", "{}", "[" * 5000, '{"kind": "act"}', '{"kind": "act", "payload": []}'),
        *(
            '{"kind": "nothing", "payload": {}}',
            '{"kind": 5, "payload": {}}',
            '{"kind": "act", "payload": {}}',
        ),
        job_text(HandleDelivery("guid")),
        job_text(FinishLink("h", "s")),
        json.dumps({"kind": "act", "payload": {"action": "take", "more": 1}}),
    ],
)
def test_a_value_that_carries_no_request_of_a_person_is_nothing(text: str) -> None:
    assert read_waiting(text) is None


@pytest.mark.parametrize(
    "job",
    [
        PerformAction(CLICK),
        ShowDetails(replace(CLICK, action="history")),
        AnswerCommand(COMMAND),
        AnswerButton("page", COMMAND),
    ],
)
def test_it_goes_on_as_the_request_of_whoever_was_linked(
    job: PerformAction | ShowDetails | AnswerCommand | AnswerButton,
) -> None:
    carried = read_waiting(job_text(job))
    assert carried == job
    followed = continue_request(replace(STARTED, continuation=stored_waiting(job)), "octo-new", AT + 60)
    assert followed.words == GOES_ON
    [row] = followed.jobs
    fields = row.payload.get("asked", row.payload)
    assert isinstance(fields, dict)
    assert (fields["user"], fields["team"], fields["at"]) == ("U0NEW", "T0OCTO", AT + 60)
    assert fields["response_url"] is None


def test_a_form_takes_the_place_of_the_modal_or_comes_as_a_button() -> None:
    asked = replace(CLICK, action="close_as", user_input={"value": "revoked"})
    started = replace(STARTED, continuation=stored_waiting(FillForm(asked)))
    shown = continue_request(started, "octo-new", AT + 60)
    assert shown.words == FORM_OPENS
    assert shown.form is not None
    assert (shown.form.request.view_id, shown.form.request.user) == ("V1", "U0NEW")
    for late in (
        continue_request(started, "octo-new", AT + LASTS + 1),
        continue_request(replace(started, view_id=None), "octo-new", AT + 60),
    ):
        assert (late.words, late.form, late.jobs) == (PRESS_AGAIN, None, ())
        assert late.button is not None
        [_, row] = late.button.blocks
        assert row["block_id"] == "alert:90001/42:linked"
        assert '"value": "revoked"' in json.dumps(row)


@pytest.mark.parametrize("action", ["next_steps", "token_uses", "tell_owner"])
def test_what_has_no_button_is_to_be_done_again(action: str) -> None:
    job = PerformAction(replace(CLICK, action=action))
    followed = continue_request(replace(STARTED, continuation=stored_waiting(job)), "octo-new", AT + 60)
    assert (followed.words, followed.jobs, followed.button) == (START_ANEW, (), None)


def test_without_a_request_nothing_follows() -> None:
    for stored in (None, {}, {"job": 5}, {"job": "-"}):
        followed = continue_request(replace(STARTED, continuation=stored), "octo-new", AT)
        assert (followed.words, followed.jobs, followed.button, followed.form) == (None, (), None, None)


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        *(("012345", "012345"), (" 012345 ", "012345"), ("012 345", "012345"), ("012-345", "012345")),
        *(("012\u2013345", "012345"), ("0 1 2 3 4 5", "012345"), ("\u00a0012345", "012345")),
        *(("", None), ("12345", None), ("1234567", None), ("abcdef", None), (None, None), (("1",), None)),
        *(("\u0661\u0662\u0663\u0664\u0665\u0666", None), ("12345\N{SUPERSCRIPT TWO}", None)),
    ],
)
def test_a_typed_code_has_six_digits(typed: object, code: str | None) -> None:
    assert read_code(typed) == code


def test_the_secrets_are_random_and_bound_to_each_other() -> None:
    codes = {new_code() for _ in range(200)}
    assert len(codes) > 190
    assert all(len(code) == 6 and code.isascii() and code.isdigit() for code in codes)
    first, second = new_cookie("id"), new_cookie("id")
    assert first != second
    assert request_of(first) == request_of(second) == "id"
    assert state_of(first) != state_of(second)
    assert first not in state_of(first)
    hashes = {
        code_hash(*parts) for parts in (("a", "s", "1"), ("b", "s", "1"), ("a", "t", "1"), ("a", "s", "2"))
    }
    assert len(hashes) == 4
