"""Reading and changing the alerts of one repository with a token restricted to it."""

import pytest

from integrations.github.accounts import GitHubAccount
from integrations.github.api import GitHub
from integrations.github.errors import Forbidden, Invalid, Moved, NotFound
from integrations.sandbox.github import GitHubRepository, GitHubSandbox

NAME = "octo/payments"


async def test_an_alert_is_read_without_its_secret(
    sandbox: GitHubSandbox, github: GitHub, payments: GitHubRepository
) -> None:
    leaked = sandbox.leak(payments, validity="active")
    access = github.of(sandbox.install(sandbox.app_owner).id).only(payments.id)
    alert = await access.alert(NAME, leaked.number)
    assert (alert.number, alert.state, alert.validity) == (leaked.number, "open", "active")
    assert alert.html_url == sandbox.alert_url(leaked)
    [call] = sandbox.calls("GET", f"/repos/{NAME}/secret-scanning/alerts/1")
    assert call.query == {"hide_secret": "true"}
    assert call.repository_ids == (payments.id,)


async def test_the_literal_is_fetched_with_a_token_for_one_repository(
    sandbox: GitHubSandbox, github: GitHub, payments: GitHubRepository
) -> None:
    leaked = sandbox.leak(payments)
    literal = (
        await github.of(sandbox.install(sandbox.app_owner).id).only(payments.id).literal(NAME, leaked.number)
    )
    assert literal.reveal() == leaked.literal
    [call] = sandbox.calls("GET", f"/repos/{NAME}/secret-scanning/alerts/1")
    assert (call.query, call.repository_ids) == ({}, (payments.id,))


async def test_an_alert_is_closed_with_a_comment_and_reopened(
    sandbox: GitHubSandbox, github: GitHub, payments: GitHubRepository
) -> None:
    leaked = sandbox.leak(payments)
    access = github.of(sandbox.install(sandbox.app_owner).id).only(payments.id)
    closed = await access.close(NAME, leaked.number, "revoked", "rotated")
    assert (closed.state, closed.resolution, closed.resolution_comment) == ("resolved", "revoked", "rotated")
    assert closed.resolved_by == GitHubAccount(sandbox.bot.id, "stanch[bot]")
    with pytest.raises(Invalid) as caught:
        await access.close(NAME, leaked.number, "revoked", "rotated")
    assert caught.value.status == 400
    assert (await access.reopen(NAME, leaked.number)).state == "open"
    assert leaked.state == "open"


async def test_a_close_that_needs_a_reviewer_raises_forbidden(sandbox: GitHubSandbox, github: GitHub) -> None:
    guarded = sandbox.add_repository(sandbox.app_owner, "guarded", delegated_dismissal=True)
    leaked = sandbox.leak(guarded)
    installation = github.of(sandbox.install(sandbox.app_owner).id)
    with pytest.raises(Forbidden):
        await installation.only(guarded.id).close("octo/guarded", leaked.number, "wont_fix")


async def test_validity_and_assignee_are_set_and_cleared(
    sandbox: GitHubSandbox, github: GitHub, payments: GitHubRepository
) -> None:
    ana = sandbox.add_user("ana")
    sandbox.add_collaborator(payments, ana, "write")
    leaked = sandbox.leak(payments)
    access = github.of(sandbox.install(sandbox.app_owner).id).only(payments.id)
    assert (await access.set_validity(NAME, leaked.number, "inactive")).validity == "inactive"
    assert (await access.set_validity(NAME, leaked.number, None)).validity == "unknown"
    assert (await access.assign(NAME, leaked.number, "ana")).assigned_to == GitHubAccount(ana.id, "ana")
    unassigned = await access.assign(NAME, leaked.number, None)
    assert unassigned.assigned_to is None
    assert unassigned.has_assigned_to
    sandbox.add_user("reader")
    with pytest.raises(Invalid):
        await access.assign(NAME, leaked.number, "reader")


async def test_all_locations_are_listed(
    sandbox: GitHubSandbox, github: GitHub, payments: GitHubRepository
) -> None:
    ana = sandbox.add_user("ana")
    leaked = sandbox.leak(payments, path="config/prod.env", author=ana)
    sandbox.add_location(leaked, "issue_body")
    access = github.of(sandbox.install(sandbox.app_owner).id).only(payments.id)
    places = [place async for place in access.locations(NAME, leaked.number)]
    assert [place.kind for place in places] == ["commit", "issue_body"]
    assert places[0].path == "config/prod.env"
    assert places[0].commit_sha is not None


async def test_a_renamed_repository_is_read_but_not_written_by_its_old_name(
    sandbox: GitHubSandbox, github: GitHub, payments: GitHubRepository
) -> None:
    leaked = sandbox.leak(payments)
    access = github.of(sandbox.install(sandbox.app_owner).id).only(payments.id)
    sandbox.rename_repository(payments, "billing")
    facts = await access.repository(NAME)
    assert (facts.id, facts.full_name) == (payments.id, "octo/billing")
    with pytest.raises(Moved):
        await access.close(NAME, leaked.number, "revoked")
    assert leaked.state == "open"


async def test_a_strangers_repository_with_the_old_name_is_not_accessible(
    sandbox: GitHubSandbox, github: GitHub, payments: GitHubRepository
) -> None:
    leaked = sandbox.leak(payments)
    installation = github.of(sandbox.install(sandbox.app_owner).id)
    sandbox.rename_repository(payments, "billing")
    squatter = sandbox.squat(NAME)
    sandbox.leak(squatter)
    with pytest.raises(NotFound):
        await installation.only(payments.id).literal(NAME, leaked.number)
    with pytest.raises(NotFound):
        await installation.only(payments.id).close(NAME, leaked.number, "revoked")
    assert squatter.id != payments.id


@pytest.mark.parametrize(
    "name", ["octo", "octo/..", "../payments", "octo/payments/../api", "octo/pay ments", ""]
)
async def test_an_impossible_repository_name_is_not_sent(
    sandbox: GitHubSandbox, github: GitHub, name: str
) -> None:
    for call in (github.of(1).only(2).alert, github.of(1).only(2).literal):
        with pytest.raises(NotFound):
            await call(name, 1)
    assert sandbox.calls() == []
