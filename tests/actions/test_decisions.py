"""What a submitted form is decided on again, when its job runs: its fields, and the alert as it is by then."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bot.actions.close_alert import CloseAlert
from bot.actions.reopen_alert import ReopenAlert
from bot.actions.write_back import write_back
from bot.errors import Refused
from bot.rules.case import PersonalCase
from integrations.github.errors import Unreachable
from tests.views.cases import NOW, closed, in_front_of, token, working

SECRET = "ghp" + "_" + "a1B2" * 9


def close(case: PersonalCase, comment: str) -> str:
    return CloseAlert().decide(case, {"resolution": "revoked", "comment": comment}).comment


def reopen(case: PersonalCase, comment: str) -> str:
    return ReopenAlert().decide(replace(case, alert=closed("revoked")), {"comment": comment}).comment


@pytest.mark.parametrize("decide", [close, reopen])
def test_a_comment_that_leaves_no_room_for_the_signature_is_refused(
    decide: Callable[[PersonalCase, str], str],
) -> None:
    """The form was for a comment in the person's own name; their token has gone since."""
    case = in_front_of(token())
    assert decide(case, "x" * 240) == "x" * 240 + " — by octo-admin via Stanch"
    with pytest.raises(Refused, match="bad_form"):
        decide(case, "x" * 241)
    assert decide(replace(case, own_name=True), "x" * 280) == "x" * 280


def test_a_secret_in_the_comment_of_a_reopening_is_refused_by_the_job_too() -> None:
    with pytest.raises(Refused, match="bad_form"):
        reopen(in_front_of(token()), SECRET)


def test_an_alert_that_was_reopened_and_closed_again_meanwhile_is_not_reopened() -> None:
    """After a lost answer: what the person saw is not what they would reopen."""
    with pytest.raises(Refused, match="changed_meanwhile"):
        reopen(replace(in_front_of(token()), intended_at=NOW - 60), "")


async def test_a_validity_that_did_not_reach_github_is_not_asked_for() -> None:
    calls = []

    async def write(change: Any) -> Any:
        calls.append(change)
        raise Unreachable("PATCH /repos/{owner}/{repo}", "no connection", maybe_done=False)

    access: Any = None
    with pytest.raises(Unreachable):
        await write_back(access, "octo/payments", working(), may_write=True, write=write)
    assert len(calls) == 1
