"""What a channel's filter can match, and which accounts that are."""

import pytest

from bot.rules.coverage import coverage, covered_accounts, pin, pinned_values, with_current_names
from bot.rules.filters import parse_filter
from storage.filter import Qualifier
from storage.records import Account, GitHubId, Installation, InstallationId, InstallationState


def installation(number: int, login: str) -> Installation:
    account = Account(GitHubId(number), login)
    return Installation(InstallationId(number), account, "Organization", InstallationState.ACTIVE)


OCTO, LABS = installation(1, "Octo"), installation(2, "labs")


@pytest.mark.parametrize(
    ("written", "repositories", "accounts"),
    [
        ("", None, "Octo labs"),
        ("secret-type:stripe_api_key", None, "Octo labs"),
        ("-repo:octo/web", None, "Octo labs"),
        ("org:octo", None, "Octo"),
        ("org:octo,labs", None, "Octo labs"),
        ("org:nobody", None, "Octo labs"),
        ("-org:octo", None, "labs"),
        ("-org:octo,labs", None, "Octo labs"),
        ("repo:octo/web", "octo/web", "Octo labs"),
        ("repo:octo/web,labs/x bypassed:true", "labs/x octo/web", "Octo labs"),
        ("repo:octo/web,octo/api -repo:octo/api", "octo/web", "Octo labs"),
    ],
)
def test_coverage(written: str, repositories: str | None, accounts: str) -> None:
    covered = coverage(parse_filter(written))
    named = None if covered.repositories is None else " ".join(covered.repositories)
    assert named == repositories
    found = covered_accounts(covered, (OCTO, LABS), {})
    assert " ".join(one.account.login for one in found) == accounts


def test_an_account_is_compared_by_its_id_once_that_is_known() -> None:
    covered = coverage(parse_filter("org:old"))
    pinned = {pin(Qualifier.ORG, "old"): 2}
    assert covered_accounts(covered, (OCTO, LABS), pinned) == (LABS,)
    stranger = installation(3, "old")
    assert covered_accounts(covered, (OCTO, LABS, stranger), pinned) == (LABS,)


def test_without_an_account_nothing_is_covered_by_any() -> None:
    assert covered_accounts(coverage(parse_filter("")), (), {}) == ()


def test_a_renamed_repository_is_shown_by_its_present_name() -> None:
    alert_filter = parse_filter("org:octo -repo:octo/web")
    assert pinned_values(alert_filter) == {(Qualifier.ORG, "octo"), (Qualifier.REPO, "octo/web")}
    shown = with_current_names(alert_filter, {"repo:octo/web": "octo/site"})
    assert str(shown) == "-repo:octo/site org:octo"
