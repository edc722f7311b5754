"""People who signed in act on GitHub in their own name, and GitHub's answer to their own token is the answer."""

from collections.abc import Sequence

import pytest

from bot.options import Options
from integrations.sandbox.github import Organization, RecordedRequest
from storage.clock import Clock
from tests.bench.budgets import SUBMIT, measure_submit
from tests.flows.signed_in import sign_in
from tests.flows.stage import ADMIN, CHANNEL, OWNER, READER, Stage, open_stage

pytestmark = pytest.mark.either_database
ALERT = r"/repos/octo/payments/secret-scanning/alerts/\d+"


def callers(stage: Stage, method: str, pattern: str = ALERT) -> list[int | None]:
    """Whose tokens were sent with such calls: GitHub ids of people, None for the App."""
    return [call.user_id for call in stage.github.calls(method, pattern)]


def changes(stage: Stage) -> Sequence[RecordedRequest]:
    return stage.github.calls("PATCH", ALERT)


async def test_a_closure_goes_out_in_the_persons_own_name_and_everything_says_so(signed_in: Stage) -> None:
    stage, admin = signed_in, signed_in.people[ADMIN]
    alert = await stage.leak()
    await stage.close_as(ADMIN, "revoked", "Rotated by @octo/security.")
    assert alert.resolution == "revoked"
    assert alert.resolved_by is admin
    assert alert.resolution_comment == "Rotated by octo/security."
    assert callers(stage, "PATCH") == [admin.id]
    entry = stage.github.audit_log[-1]
    assert (entry.actor, entry.programmatic_access_type) == (
        "octo-admin",
        "GitHub App user-to-server token",
    )
    assert f"By @{ADMIN} (octo-admin) " in stage.read().replace("<@U0ADMIN>", f"@{ADMIN}")
    assert "via Stanch" not in stage.read()
    [reply] = [
        said for said in stage.slack.thread(CHANNEL, stage.card().ts) if "Closed as" in said.shown_text
    ]
    assert "via Stanch" not in reply.shown_text
    assert await stage.audited("close_alert") == [("intended", None), ("done", "revoked, in own name")]
    await stage.pick(OWNER, "more", "history")
    assert "via Stanch" not in stage.answer_to(OWNER)


async def test_the_apps_closures_say_that_it_was_the_app(signed_in: Stage) -> None:
    """The owner was linked by an operator, and Stanch never had a token of them."""
    alert = await signed_in.leak()
    await signed_in.close_as(OWNER, "revoked")
    assert callers(signed_in, "PATCH") == [None]
    assert alert.resolution_comment == "by octo-owner via Stanch"
    assert "(octo-owner) via Stanch" in signed_in.read()
    assert await signed_in.audited("close_alert") == [("intended", None), ("done", "revoked")]


async def test_without_a_comment_none_is_sent_in_the_persons_own_name(signed_in: Stage) -> None:
    await signed_in.leak()
    await signed_in.close_as(ADMIN, "false_positive")
    [change] = changes(signed_in)
    assert change.body == {"state": "resolved", "resolution": "false_positive"}


async def test_a_comment_in_the_own_name_may_use_all_280_characters(signed_in: Stage) -> None:
    alert = await signed_in.leak()
    await signed_in.pick(ADMIN, "close_as", "revoked")
    control = signed_in.form(ADMIN).control("comment")
    assert control is not None
    assert control["max_length"] == 280
    await signed_in.submit(ADMIN, {"comment": {"comment": "x" * 280}})
    assert alert.resolution_comment == "x" * 280


async def test_reopening_goes_out_in_the_persons_own_name(signed_in: Stage) -> None:
    alert = await signed_in.leak()
    await signed_in.close_as(OWNER, "revoked")
    await signed_in.click(ADMIN, "reopen")
    await signed_in.submit(ADMIN, {"comment": {"comment": "Still used."}})
    assert alert.state == "open"
    assert callers(signed_in, "PATCH") == [None, signed_in.people[ADMIN].id]
    assert await signed_in.audited("reopen_alert") == [
        ("intended", None),
        ("done", "in own name"),
    ]


async def test_a_verdict_is_written_back_in_the_persons_own_name(signed_in: Stage) -> None:
    alert = await signed_in.leak()
    await signed_in.click(ADMIN, "check_validity")
    assert alert.validity == "active"
    assert callers(signed_in, "PATCH") == [signed_in.people[ADMIN].id]
    await signed_in.pick(ADMIN, "more", "history")
    assert "It was written to GitHub's alert in their own name." in signed_in.answer_to(ADMIN)


async def test_a_take_assigns_in_the_persons_own_name(signed_in: Stage) -> None:
    alert = await signed_in.leak()
    await signed_in.click(ADMIN, "take")
    assert signed_in.github.alerts[alert.repository.id, alert.number].assigned_to == signed_in.people[ADMIN]
    assert callers(signed_in, "PATCH") == [signed_in.people[ADMIN].id]
    assert await signed_in.audited("assign") == [("done", "taken, in own name")]
    await signed_in.pick(ADMIN, "more", "step_back")
    assert alert.assigned_to is None
    assert callers(signed_in, "PATCH") == [signed_in.people[ADMIN].id] * 2


@pytest.mark.parametrize("status", [403, 404])
async def test_a_refused_write_back_or_assignment_is_no_refusal_and_not_tried_by_the_app(
    signed_in: Stage, status: int
) -> None:
    alert = await signed_in.leak()
    signed_in.github.faults.add(f"PATCH {ALERT}", status=status)
    await signed_in.click(ADMIN, "check_validity")
    await signed_in.click(ADMIN, "take")
    assert await signed_in.audited("check_validity") == [
        ("intended", None),
        ("done", "active: accepted"),
    ]
    assert ("done", None) in await signed_in.audited("take")
    assert "On it: " in signed_in.read()
    assert alert.assigned_to is None
    assert [change.body for change in changes(signed_in)] == [
        {"validity": "active"},
        {"assignee": "octo-admin"},
    ]


@pytest.mark.parametrize(("status", "word"), [(403, "403"), (404, "404")])
async def test_a_refused_closure_is_the_answer_and_not_tried_by_the_app(
    signed_in: Stage, status: int, word: str
) -> None:
    alert = await signed_in.leak()
    signed_in.github.faults.add(f"PATCH {ALERT}", status=status)
    await signed_in.close_as(ADMIN, "revoked")
    assert alert.state == "open"
    assert "GitHub does not let you close this alert." in signed_in.answer_to(ADMIN)
    assert f"It answered {word}" in signed_in.answer_to(ADMIN)
    assert len(changes(signed_in)) == 1
    outcomes = [outcome for outcome, _ in await signed_in.audited("close_alert")]
    assert outcomes == ["intended", "refused"]
    signed_in.github.faults.rules.clear()
    await signed_in.close_as(OWNER, "revoked")
    assert alert.state == "resolved", "the refusal left the alert claimed"


async def test_whom_github_does_not_show_the_alert_is_refused_without_asking_as_the_app(
    signed_in: Stage,
) -> None:
    await signed_in.leak()
    await sign_in(signed_in, READER)
    before = len(signed_in.github.calls("GET", ALERT))
    await signed_in.click(READER, "take")
    assert "GitHub doesn't let octo-reader see the alerts of octo/payments." in signed_in.answer_to(READER)
    asked = signed_in.github.calls("GET", ALERT)[before:]
    assert [call.user_id for call in asked] == [signed_in.people[READER].id]
    assert changes(signed_in) == []


async def test_a_person_whose_role_stanch_can_t_see_acts_by_their_own_token(signed_in: Stage) -> None:
    """Here it is the assignee, who is shown the alert by GitHub although no role says so."""
    alert = await signed_in.leak()
    await sign_in(signed_in, READER)
    signed_in.github.assign(alert, signed_in.people[READER])
    await signed_in.work()
    await signed_in.close_as(READER, "revoked")
    assert alert.resolved_by is signed_in.people[READER]


async def test_a_missing_single_sign_on_session_is_quoted_with_the_way_out(signed_in: Stage) -> None:
    await signed_in.leak()
    octo = signed_in.github.app_owner
    assert isinstance(octo, Organization)
    octo.enforces_sso = True
    await signed_in.click(ADMIN, "take")
    answer = signed_in.answer_markup(ADMIN)
    assert "It answered 403" in answer
    assert f"{signed_in.github.url}/orgs/octo/sso" in answer
    assert "/leaks link" in answer
    octo.enforces_sso = False


async def test_delegated_dismissal_is_github_s_to_enforce_in_the_persons_own_name(signed_in: Stage) -> None:
    octo = signed_in.github.app_owner
    vault = signed_in.github.add_repository(octo, "vault", delegated_dismissal=True)
    signed_in.github.add_collaborator(vault, signed_in.people[ADMIN], "admin")
    alert = await signed_in.leak(vault)
    await signed_in.close_as(ADMIN, "revoked")
    assert alert.state == "open"
    assert "GitHub does not let you close this alert." in signed_in.answer_to(ADMIN)
    assert callers(signed_in, "PATCH", r"/repos/octo/vault/.*") == [signed_in.people[ADMIN].id]


@pytest.mark.parametrize(
    ("act_as", "user", "own_name"),
    [
        ("app", ADMIN, False),
        ("user_or_app", ADMIN, True),
        ("user_or_app", OWNER, False),
        ("user", ADMIN, True),
        ("user", OWNER, None),
    ],
)
async def test_act_as_decides_in_whose_name_it_goes_out(
    database_url: str, clock: Clock, private_key: str, act_as: str, user: str, own_name: bool | None
) -> None:
    """The owner has not signed in; None stands for a refusal."""
    options = Options.model_validate({"github": {"act_as": act_as}})
    async with open_stage(database_url, clock, private_key, options=options, sign_in=True) as stage:
        await sign_in(stage, ADMIN)
        alert = await stage.leak()
        await stage.close_as(user, "revoked") if own_name is not None else await stage.click(user, "take")
        person, login = stage.people[user], stage.people[user].login
        assert callers(stage, "PATCH") == ([] if own_name is None else [person.id if own_name else None])
        assert alert.resolution_comment == (f"by {login} via Stanch" if own_name is False else None)
        if own_name is None:
            assert await stage.audited("take") == [("refused", "sign_in_needed")]
        stage.check()


async def test_a_sign_in_without_a_kept_token_acts_as_the_app(signed_in: Stage) -> None:
    """Signed in before there were encryption keys: Stanch never had a token of them."""
    await signed_in.leak()
    await sign_in(signed_in, OWNER, keep_tokens=False)
    await signed_in.close_as(OWNER, "revoked")
    assert callers(signed_in, "PATCH") == [None]


async def test_the_literal_is_fetched_and_reported_as_before(signed_in: Stage) -> None:
    token = signed_in.live_token()
    await signed_in.leak(token=token)
    await signed_in.report(ADMIN)
    assert not token.is_valid(signed_in.clock.now())
    [revoked] = signed_in.github.calls("POST", "/credentials/revoke")
    assert not revoked.authorized
    with_secret = [
        call.user_id for call in signed_in.github.calls("GET", ALERT) if "hide_secret" not in call.query
    ]
    assert with_secret
    assert set(with_secret) == {None}


@pytest.mark.parametrize("which", ["access", "refresh"])
async def test_the_form_of_a_report_says_that_stanch_holds_the_token(
    database_url: str, clock: Clock, private_key: str, which: str
) -> None:
    options = Options.model_validate({"report": {"app_user_tokens": True, "refresh_tokens": True}})
    async with open_stage(database_url, clock, private_key, options=options, sign_in=True) as stage:
        await sign_in(stage, ADMIN)
        [pair] = stage.github.authorizations[stage.people[ADMIN].id].pairs
        held = pair.access if which == "access" else pair.refresh
        assert held is not None
        kind = "github_app_user_access_token" if which == "access" else "github_refresh_token"
        await stage.leak(secret_type=kind, literal=held.literal)
        await stage.click(OWNER, "report_leak")
        words = stage.form(OWNER).shown_text
        assert "Stanch holds this token" in words
        assert "octo-admin" in words
        stage.check()


async def test_for_other_tokens_the_form_of_a_report_fetches_no_secret(signed_in: Stage) -> None:
    await signed_in.leak()
    await signed_in.click(OWNER, "report_leak")
    assert "Stanch holds" not in signed_in.form(OWNER).shown_text
    assert all("hide_secret" in call.query for call in signed_in.github.calls("GET", ALERT))


async def test_an_assignment_that_github_answers_401_leaves_the_take_and_suspends(signed_in: Stage) -> None:
    await signed_in.leak()
    signed_in.github.faults.add(f"PATCH {ALERT}", status=401)
    await signed_in.click(ADMIN, "take")
    assert await signed_in.audited("take") == [("intended", None), ("done", None)]
    assert len(changes(signed_in)) == 1
    [(outcome, reason)] = await signed_in.audited("assign")
    assert outcome == "failed"
    assert reason is not None
    assert reason.startswith("taken, in own name: suspended")


async def test_a_submit_in_the_own_name_keeps_the_budget(signed_in: Stage) -> None:
    await sign_in(signed_in, OWNER)
    usage = await measure_submit(signed_in)
    assert callers(signed_in, "PATCH") == [signed_in.people[OWNER].id]
    listed = "\n".join(text[:110] for one in usage.transactions.ended for text in one.statements)
    assert usage.cost.statements <= SUBMIT.statements, listed
    assert usage.cost.commits <= SUBMIT.commits, listed
