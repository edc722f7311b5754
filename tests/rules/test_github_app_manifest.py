"""The manifest and the registration address of a GitHub App, and the code and addresses of the set-up."""

import json
from dataclasses import replace
from urllib.parse import parse_qs

import pytest

from bot.rules.github_addresses import api_address, app_page, enterprise_app_page, new_app_page
from bot.rules.github_app_manifest import (
    EVENTS,
    PERMISSIONS,
    AppPlan,
    app_name,
    is_app_name,
    manifest,
    registration_query,
)
from bot.rules.setup_code import ALPHABET, LENGTH, same_code, shown_code
from integrations.sandbox.github.manifests import read_manifest

BACK = "http://127.0.0.1:4711/github/created"
PLAN = AppPlan("stanch-octo", "https://github.com/octo", public=False)
PUBLIC = "https://stanch.octo.example"


def content(plan: AppPlan) -> dict[str, object]:
    return dict(json.loads(manifest(plan, BACK)))


def test_a_manifest_without_an_address_has_neither_webhook_nor_callback_nor_events() -> None:
    assert content(PLAN) == {
        "name": "stanch-octo",
        "url": "https://github.com/octo",
        "description": "Brings secret scanning alerts into Slack, where the right people work them to their end.",
        "redirect_url": BACK,
        "public": False,
        "request_oauth_on_install": False,
        "default_permissions": {one.name: one.access for one in PERMISSIONS if one.asked},
    }


def test_a_manifest_with_an_address_has_only_it_beside_our_own_page() -> None:
    made = content(replace(PLAN, public_url=PUBLIC, webhooks=True, public=True))
    assert made["hook_attributes"] == {"url": f"{PUBLIC}/github/webhooks", "active": True}
    assert made["callback_urls"] == [f"{PUBLIC}/github/callback"]
    assert made["public"] is True
    assert "setup_url" not in made
    assert json.dumps(made).count("127.0.0.1") == 1


@pytest.mark.parametrize("webhooks", [False, True])
@pytest.mark.parametrize(
    "more", [frozenset(), {"administration"}, {"contents"}, {"administration", "contents"}]
)
def test_github_takes_each_manifest_and_each_event_has_its_permission(
    webhooks: bool, more: frozenset[str]
) -> None:
    plan = replace(PLAN, public_url=PUBLIC, webhooks=webhooks, more_permissions=frozenset(more))
    assert read_manifest(manifest(plan, BACK)).permissions == plan.permissions
    assert all(EVENTS[event] in plan.permissions for event in plan.events)
    assert not any(event.startswith("installation") for event in plan.events)
    assert ("security_and_analysis" in plan.events) == (webhooks and "administration" in more)


def test_the_registration_address_says_the_same_as_the_manifest() -> None:
    plan = replace(PLAN, public_url=PUBLIC, webhooks=True)
    query = parse_qs(registration_query(plan), strict_parsing=True)
    made = content(plan)
    for name in ("name", "url", "description"):
        assert query.pop(name) == [made[name]]
    assert query.pop("callback_urls[]") == made["callback_urls"]
    assert query.pop("events[]") == made["default_events"]
    assert query.pop("webhook_url") == [f"{PUBLIC}/github/webhooks"]
    words = {name: query.pop(name) for name in ("public", "request_oauth_on_install", "webhook_active")}
    assert words == {"public": ["false"], "request_oauth_on_install": ["false"], "webhook_active": ["true"]}
    assert {name: value for name, [value] in query.items()} == made["default_permissions"]
    assert "webhook_active=false" in registration_query(PLAN)


@pytest.mark.parametrize(
    ("account", "name"),
    [("octo", "stanch-octo"), ("Octo-Labs", "stanch-octo-labs"), ("a" * 39, "stanch-" + "a" * 27)],
)
def test_the_name_has_the_account_s_and_is_never_too_long(account: str, name: str) -> None:
    assert app_name(account) == name
    assert is_app_name(name)


def test_a_name_needs_a_letter_or_digit_and_at_most_34_characters() -> None:
    assert [is_app_name(name) for name in ("x", "My Stanch!", "x" * 34, "", "--", "x" * 35)] == [
        *(True, True, True),
        *(False, False, False),
    ]


@pytest.mark.parametrize(
    ("url", "api"),
    [
        ("https://github.com", "https://api.github.com"),
        ("https://octo.ghe.com", "https://api.octo.ghe.com"),
        ("https://github.octo.example", "https://github.octo.example/api/v3"),
        ("https://notghe.com", "https://notghe.com/api/v3"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/api/v3"),
    ],
)
def test_the_api_of_each_kind_of_server(url: str, api: str) -> None:
    assert api_address(url) == api


def test_the_pages_of_an_organization_and_of_a_person() -> None:
    url = "https://github.com"
    assert new_app_page(url, "octo") == "https://github.com/organizations/octo/settings/apps/new"
    assert new_app_page(url, None) == "https://github.com/settings/apps/new"
    assert app_page(url, "octo", "a b") == "https://github.com/organizations/octo/settings/apps/a%20b"
    assert (
        enterprise_app_page(url, "o c", "a/b") == "https://github.com/enterprises/o%20c/settings/apps/a%2Fb"
    )


def test_the_code_is_long_and_easily_typed() -> None:
    assert len(ALPHABET) ** LENGTH > 10**11
    assert not set("01OIL") & set(ALPHABET) - {"L"}
    assert shown_code("K7TP2M9Q") == "K7TP-2M9Q"
    assert same_code("K7TP2M9Q", " k7tp-2m9q")
    assert not same_code("K7TP2M9Q", "K7TP2M9R")
    assert not same_code("K7TP2M9Q", "")
