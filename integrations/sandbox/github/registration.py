"""GitHub's pages on which a person registers an App and installs it, and the call that creates it from a manifest."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import parse_qs, urlencode

from aiohttp import web

from integrations.sandbox.github import registration_pages as pages
from integrations.sandbox.github.apps import GitHubApp, ManifestCode, Registration
from integrations.sandbox.github.authentication import generate_private_key, public_key_of
from integrations.sandbox.github.calls import RecordedRequest
from integrations.sandbox.github.manifests import (
    InvalidManifest,
    create_app,
    name_faults,
    permission_faults,
    read_manifest,
    webhook_faults,
)
from integrations.sandbox.github.records import GitHubUser, Organization, RepositoryOwner
from integrations.sandbox.github.repositories import RepositoryBuilders
from integrations.sandbox.github.sign_in import redirect, redirect_with, signed_in
from integrations.sandbox.github.sign_in_pages import failed
from integrations.sandbox.github.world import GitHubWorld

MANIFEST_SECONDS = 3600
"""GitHub's docs: all steps of the manifest flow have to be done within one hour."""
NOT_FOUND = "This is not the web page you are looking for."


class RegistrationPages:
    """Answers what the browser of somebody who administers `owner` sends below `/settings/apps` and `/apps`."""

    def __init__(self, world: GitHubWorld, builders: RepositoryBuilders) -> None:
        self._world = world
        self._builders = builders

    def answer(self, request: web.Request, record: RecordedRequest) -> web.Response | None:
        """The answer, or None if the path is none of these pages."""
        parts = request.path.strip("/").split("/")
        handler, login, rest = self._route(request.method, parts)
        if handler is None:
            return None
        user = signed_in(self._world, request)
        if user is None and request.method == "GET":
            return redirect("/login?" + urlencode({"return_to": request.path_qs}))
        if user is None and "manifest" not in _form(record):
            return failed(422, "Sign in first.")
        owner = user if login is None else self._world.organization(login)
        if user is not None and (owner is None or not may_administer(user, owner)):
            return failed(404, NOT_FOUND)
        return handler(_Visit(request, record, user, owner, rest))

    def _route(
        self, method: str, parts: list[str]
    ) -> tuple[Callable[[_Visit], web.Response] | None, str | None, str]:
        """The handler, the organization in the path, and the App's slug or the rest of the path."""
        login = None
        if parts[0] == "organizations" and len(parts) > 2:
            login, parts = parts[1], parts[2:]
        match (method, *parts):
            case ("POST", "settings", "apps", "new"):
                return self._receive_manifest, login, ""
            case ("GET", "settings", "apps", "new"):
                return self._show_registration, login, ""
            case ("POST", "settings", "apps", "manifest"):
                return self._confirm, login, ""
            case ("POST", "settings", "apps"):
                return self._register, login, ""
            case ("GET", "settings", "apps", slug):
                return self._show_app, login, slug
            case ("POST", "settings", "apps", slug, "keys"):
                return self._make_key, login, slug
            case ("GET", "apps", slug, "installations", "new") if login is None:
                return self._show_installation, None, slug
            case ("POST", "apps", slug, "installations") if login is None:
                return self._install, None, slug
        return None, None, ""

    # From a manifest

    def _receive_manifest(self, visit: _Visit) -> web.Response:
        """The form of another site: its manifest is kept, because that request comes without our cookie."""
        text = visit.form.get("manifest")
        if text is None:
            return failed(422, "No manifest.")
        try:
            registration = read_manifest(text)
        except InvalidManifest as invalid:
            return pages.invalid_manifest(invalid.reasons)
        key = secrets.token_hex(8)
        self._world.pending[key] = registration
        state = visit.record.query.get("state")
        return redirect("?" + urlencode({"pending": key, **({"state": state} if state else {})}))

    def _show_registration(self, visit: _Visit) -> web.Response:
        pending = visit.record.query.get("pending")
        if pending is None:
            return pages.registration_form(visit.owner_path, parse_qs(visit.request.query_string))
        registration = self._world.pending.get(pending)
        if registration is None:
            return failed(404, NOT_FOUND)
        return pages.confirm(visit.owner_path, visit.owner_login, registration, visit.record.query)

    def _confirm(self, visit: _Visit) -> web.Response:
        """*Create GitHub App*: back to the manifest's redirect address with a code."""
        registration = self._world.pending.get(visit.form.get("pending", ""))
        if registration is None or visit.owner is None:
            return failed(404, NOT_FOUND)
        name = visit.form.get("name", "").strip()
        faults = name_faults(self._world, name)
        if faults:
            return pages.confirm(visit.owner_path, visit.owner_login, registration, visit.form, faults)
        if registration.redirect_url is None:
            return failed(422, "The manifest has no redirect_url.")
        del self._world.pending[visit.form["pending"]]
        code = secrets.token_hex(20)
        self._world.manifest_codes[code] = ManifestCode(
            replace(registration, name=name), visit.owner, self._world.now() + MANIFEST_SECONDS
        )
        state = {"state": visit.form["state"]} if visit.form.get("state") else {}
        return redirect_with(registration.redirect_url, {"code": code, **state})

    # By hand

    def _register(self, visit: _Visit) -> web.Response:
        given = parse_qs(visit.body)
        name = given.get("name", [""])[0].strip()
        permissions = {
            field.removeprefix("permission_"): values[0]
            for field, values in given.items()
            if field.startswith("permission_") and values[0]
        }
        events = [event for value in given.get("events", []) for event in value.split()]
        webhook = given.get("webhook_url", [""])[0] if "webhook_active" in given else None
        faults = name_faults(self._world, name) + permission_faults(permissions, events)
        faults += [] if webhook is None else webhook_faults(webhook)
        if not given.get("url", [""])[0]:
            faults.append("Url can't be blank")
        if faults or visit.owner is None:
            return pages.registration_form(visit.owner_path, given, faults)
        app = create_app(
            self._world,
            Registration(
                name,
                given["url"][0],
                {"metadata": "read", **permissions},
                tuple(events),
                webhook,
                tuple(each for value in given.get("callback_urls", []) for each in value.split()),
                public="public" in given,
            ),
            visit.owner,
        )
        app.webhook_secret = given.get("webhook_secret", [""])[0]
        return redirect(f"{visit.owner_path}/{app.slug}")

    def _show_app(self, visit: _Visit) -> web.Response:
        app = self._app(visit)
        return failed(404, NOT_FOUND) if app is None else pages.app_settings(visit.owner_path, app)

    def _make_key(self, visit: _Visit) -> web.Response:
        """*Generate a private key*: a download; GitHub keeps the public key alone."""
        app = self._app(visit)
        if app is None:
            return failed(404, NOT_FOUND)
        key = generate_private_key()
        app.public_keys.append(public_key_of(key))
        headers = {"Content-Disposition": f"attachment; filename={app.slug}.private-key.pem"}
        return web.Response(body=key.encode(), content_type="application/x-pem-file", headers=headers)

    def _app(self, visit: _Visit) -> GitHubApp | None:
        found = self._by_slug(visit.rest)
        return found if found is not None and found.owner is visit.owner else None

    def _by_slug(self, slug: str) -> GitHubApp | None:
        return next((each for each in self._world.apps.values() if each.slug == slug), None)

    # Installing

    def _show_installation(self, visit: _Visit) -> web.Response:
        app = self._by_slug(visit.rest)
        if app is None or visit.user is None:
            return failed(404, NOT_FOUND)
        accounts = self._installable(app, visit.user)
        return pages.install(app, accounts, self._world) if accounts else failed(404, NOT_FOUND)

    def _install(self, visit: _Visit) -> web.Response:
        app = self._by_slug(visit.rest)
        account = self._world.account(visit.form.get("account", ""))
        if app is None or visit.user is None or account not in self._installable(app, visit.user):
            return failed(404, NOT_FOUND)
        if app is not self._world.app:
            return failed(422, "The stand-in installs only the App that was created last.")
        chosen = [
            each
            for each in self._world.repositories_of(account)
            if each.name in visit.form.get("repositories", "").split()
        ]
        found = self._world.installation_of(app, account)
        if found is None:
            found = self._builders.install(account, repositories=chosen or "all")
        return redirect(app.setup_url) if app.setup_url else pages.installed(app, account, found.id)

    def _installable(self, app: GitHubApp, user: GitHubUser) -> list[RepositoryOwner]:
        """GitHub's docs: a private App can only be installed on the account that owns it."""
        return [
            account
            for account in self._world.accounts.values()
            if may_administer(user, account) and (app.public or account is app.owner)
        ]


class _Visit:
    """One request of a browser: who is signed in, and the account whose settings it is about."""

    def __init__(
        self,
        request: web.Request,
        record: RecordedRequest,
        user: GitHubUser | None,
        owner: RepositoryOwner | None,
        rest: str,
    ) -> None:
        self.request = request
        self.record = record
        self.user = user
        self.owner = owner
        self.rest = rest
        self.body = record.body.decode() if isinstance(record.body, bytes) else ""
        self.form = _form(record)

    @property
    def owner_login(self) -> str:
        return self.owner.login if self.owner else ""

    @property
    def owner_path(self) -> str:
        """Where the Apps of this account are."""
        if isinstance(self.owner, Organization):
            return f"/organizations/{self.owner.login}/settings/apps"
        return "/settings/apps"


def may_administer(user: GitHubUser, account: RepositoryOwner) -> bool:
    """Whether it is the person's own account, or an organization that the person owns."""
    if not isinstance(account, Organization):
        return account is user
    membership = account.members.get(user.id)
    return membership is not None and (membership.role, membership.state) == ("admin", "active")


def _form(record: RecordedRequest) -> dict[str, str]:
    body = record.body.decode("utf-8", "replace") if isinstance(record.body, bytes) else ""
    return {name: " ".join(values) for name, values in parse_qs(body, keep_blank_values=True).items()}
