"""The HTML of the stand-in's pages for registering and installing an App."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from aiohttp import web

from integrations.sandbox.github.apps import GitHubApp, Registration
from integrations.sandbox.github.manifests import known_permissions
from integrations.sandbox.github.records import RepositoryOwner
from integrations.sandbox.github.sign_in_pages import hidden, page
from integrations.sandbox.github.world import GitHubWorld

LISTS = ("callback_urls", "events")
TEXTS = ("name", "url", "description", "webhook_url", "webhook_secret")
BOXES = ("webhook_active", "public", "request_oauth_on_install")


def invalid_manifest(reasons: Sequence[str]) -> web.Response:
    """GitHub's page for a manifest that it refuses."""
    return page(
        "Invalid GitHub App configuration",
        "<section><p>The configuration does not appear to be a valid GitHub App manifest.</p>"
        f"{_errors(reasons)}</section>",
        422,
    )


def confirm(
    owner_path: str,
    owner: str,
    registration: Registration,
    given: Mapping[str, str],
    faults: Sequence[str] = (),
) -> web.Response:
    """*Create GitHub App for …*: the name can be edited here, nothing else."""
    name = given.get("name", registration.name)
    kept = hidden({field: given[field] for field in ("pending", "state") if given.get(field)})
    return page(
        f"Create GitHub App for {owner}",
        f"{_errors(faults)}"
        f'<form method="post" action="{escape(owner_path)}/manifest">{kept}'
        f'<label>GitHub App name <input name="name" value="{escape(name)}" required></label>'
        f'<button class="main">Create GitHub App for {escape(owner)}</button></form>',
        422 if faults else 200,
    )


def registration_form(
    owner_path: str, given: Mapping[str, Sequence[str]], faults: Sequence[str] = ()
) -> web.Response:
    """*Register new GitHub App*; the query of its address fills it in (GitHub's docs, URL parameters)."""
    texts = "".join(
        f'<label>{name} <input name="{name}" value="{escape(_first(given, name))}"></label>' for name in TEXTS
    )
    lists = "".join(
        f'<label>{name} <textarea name="{name}">'
        f"{escape(' '.join([*given.get(name, ()), *given.get(f'{name}[]', ())]))}</textarea></label>"
        for name in LISTS
    )
    boxes = "".join(
        f'<label>{name} <input type="checkbox" name="{name}" value="1"'
        f"{' checked' if _first(given, name) in ('true', '1') else ''}></label>"
        for name in BOXES
    )
    permissions = "".join(
        _permission(name, levels, _first(given, name) or _first(given, f"permission_{name}"))
        for name, levels in known_permissions().items()
    )
    return page(
        "Register new GitHub App",
        f'{_errors(faults)}<form method="post" action="{escape(owner_path)}">{texts}{lists}{boxes}{permissions}'
        '<button class="main">Create GitHub App</button></form>',
        422 if faults else 200,
    )


def _permission(name: str, levels: Iterable[str], chosen: str) -> str:
    options = "".join(
        f'<option value="{level}"{" selected" if level == chosen else ""}>{level or "No access"}</option>'
        for level in ("", *levels)
    )
    return f'<label>{name} <select name="permission_{name}">{options}</select></label>'


def app_settings(owner_path: str, app: GitHubApp) -> web.Response:
    """*General*: the ids, and the button for a private key."""
    address = f"{escape(owner_path)}/{escape(app.slug)}"
    return page(
        app.name,
        f"<section><p>App ID: <code>{app.id}</code></p><p>Client ID: <code>{app.client_id}</code></p></section>"
        f'<form method="post" action="{address}/keys"><button class="main">Generate a private key</button></form>'
        f'<a class="button" href="/apps/{escape(app.slug)}/installations/new">Install App</a>',
    )


def install(app: GitHubApp, accounts: Sequence[RepositoryOwner], world: GitHubWorld) -> web.Response:
    """*Install …*: on which account, and for which repositories."""
    forms = "".join(
        f'<form method="post" action="/apps/{escape(app.slug)}/installations">'
        f"{hidden({'account': account.login})}<p>Install on <strong>{escape(account.login)}</strong></p>"
        '<label>Only these repositories <input name="repositories" placeholder="all of '
        f'{len(world.repositories_of(account))}"></label><button class="main">Install</button></form>'
        for account in accounts
    )
    return page(f"Install {app.name}", forms)


def installed(app: GitHubApp, account: RepositoryOwner, number: int) -> web.Response:
    """The settings of an installation."""
    return page(
        app.name,
        f"<section><p>Okay, {escape(app.name)} was installed on the @{escape(account.login)} account "
        f"(installation {number}).</p></section>",
    )


def _errors(reasons: Iterable[str]) -> str:
    return "".join(f'<p class="error">Error: {escape(each)}</p>' for each in reasons)


def _first(given: Mapping[str, Sequence[str]], name: str) -> str:
    values = given.get(name) or ("",)
    return values[0]
