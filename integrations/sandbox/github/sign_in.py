"""GitHub's sign-in by the web flow: the pages for the browser, and the endpoint that gives tokens."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode

from aiohttp import web

from integrations.sandbox.github import sign_in_pages as pages
from integrations.sandbox.github.calls import RecordedRequest
from integrations.sandbox.github.records import GitHubUser, Organization
from integrations.sandbox.github.sign_in_records import UserTokenPair
from integrations.sandbox.github.user_tokens import (
    ACCESS_SECONDS,
    REFRESH_SECONDS,
    TokensOfUsers,
    challenge_of,
)
from integrations.sandbox.github.world import GitHubWorld

COOKIE = "sandbox_github_user"
DOCS = "https://docs.github.com/apps/oauth-apps/maintaining-oauth-apps/"
AUTHORIZE = "/login/oauth/authorize"
AUTHORIZE_ERRORS = {
    "access_denied": "The user has denied your application access.",
    "application_suspended": "Your application has been suspended. Contact support@github.com.",
    "redirect_uri_mismatch": "The redirect_uri MUST match the registered callback URL for this application.",
}
TOKEN_ERRORS = {
    "bad_refresh_token": "The refresh token passed is incorrect or expired.",
    "bad_verification_code": "The code passed is incorrect or expired.",
    "incorrect_client_credentials": "The client_id and/or client_secret passed are incorrect.",
    "redirect_uri_mismatch": "The redirect_uri MUST match the registered callback URL for this application.",
    "unsupported_grant_type": "The grant_type is not supported.",
}
"""GitHub's docs, troubleshooting authorization requests and access token requests."""


class TokenRefused(Exception):
    """GitHub gives no token; it says so with HTTP 200 and this word."""


class SignInPages:
    """Answers what a browser and the App send to GitHub's web address."""

    def __init__(self, world: GitHubWorld, tokens: TokensOfUsers, violations: list[str]) -> None:
        self._world = world
        self._tokens = tokens
        self._violations = violations

    def answer(self, request: web.Request, record: RecordedRequest) -> web.Response | None:
        """The answer, or `None` if the path is none of these pages."""
        handler = {
            ("GET", AUTHORIZE): self._show_authorize,
            ("POST", AUTHORIZE): self._press_authorize,
            ("GET", "/login"): self._show_login,
            ("POST", "/session"): self._log_in,
            ("POST", "/login/oauth/access_token"): self._give_token,
        }.get((request.method, request.path))
        if handler is not None:
            return handler(request, record)
        parts = request.path.split("/")
        if len(parts) == 4 and parts[1] == "orgs" and parts[3] == "sso":
            return self._single_sign_on(request, record, self._world.organization(parts[2]))
        return None

    # The pages

    def _show_login(self, request: web.Request, record: RecordedRequest) -> web.Response:
        people = [
            account
            for account in self._world.accounts.values()
            if isinstance(account, GitHubUser) and not account.bot
        ]
        suggested = record.query.get("login") or dict(
            parse_qsl(record.query.get("return_to", "").partition("?")[2])
        ).get("login")
        return pages.login(people, record.query.get("return_to", "/"), suggested)

    def _log_in(self, request: web.Request, record: RecordedRequest) -> web.Response:
        form = fields_of(record)
        user = self._world.user(form.get("login", ""))
        if user is None or user.bot:
            return pages.failed(422, "Incorrect username or password.")
        response = redirect(_own_path(form.get("return_to", "")))
        response.set_cookie(COOKIE, str(user.id), samesite="Lax")
        return response

    def _show_authorize(self, request: web.Request, record: RecordedRequest) -> web.Response:
        refused = self._check_authorize(record.query)
        if refused is not None:
            return refused
        user = signed_in(self._world, request)
        if user is None:
            return redirect("/login?" + urlencode({"return_to": request.path_qs}))
        if user.id in self._world.authorizations and record.query.get("prompt") != "select_account":
            return self._send_back(record.query, user)
        return pages.consent(self._world, user, record.query, self._missing_sessions(user))

    def _press_authorize(self, request: web.Request, record: RecordedRequest) -> web.Response:
        form = fields_of(record)
        refused = self._check_authorize(form)
        if refused is not None:
            return refused
        user = signed_in(self._world, request)
        if user is None:
            return pages.failed(422, "Sign in first.")
        if form.get("authorize") != "1":
            return self._send_error(form, "access_denied")
        self._tokens.authorize(user)
        return self._send_back(form, user)

    def _single_sign_on(
        self, request: web.Request, record: RecordedRequest, organization: Organization | None
    ) -> web.Response:
        user = signed_in(self._world, request)
        if organization is None or user is None or user.id not in organization.members:
            return pages.failed(404, "This is not the web page you are looking for.")
        if request.method == "GET":
            return pages.single_sign_on(organization, record.query.get("return_to", ""))
        user.sso_sessions.add(organization.id)
        return redirect(_own_path(fields_of(record).get("return_to", "")))

    def _missing_sessions(self, user: GitHubUser) -> list[Organization]:
        return [
            each
            for each in self._world.accounts.values()
            if isinstance(each, Organization)
            and each.enforces_sso
            and user.id in each.members
            and each.id not in user.sso_sessions
        ]

    def _check_authorize(self, given: Mapping[str, str]) -> web.Response | None:
        if given.get("client_id") != self._world.client_id or not self._world.callback_urls:
            return pages.failed(404, "This is not the web page you are looking for.")
        if self._world.app_suspended:
            return self._send_error(given, "application_suspended", to=self._world.callback_urls[0])
        if given.get("redirect_uri", self._world.callback_urls[0]) not in self._world.callback_urls:
            self._violations.append("GET /login/oauth/authorize: a redirect_uri that is no callback address")
            return self._send_error(given, "redirect_uri_mismatch", to=self._world.callback_urls[0])
        if self._takes_pkce and "code_challenge" in given and given.get("code_challenge_method") != "S256":
            self._violations.append("GET /login/oauth/authorize: a code_challenge_method that is not S256")
            return pages.failed(400, "The code_challenge_method must be S256.")
        return None

    def _send_back(self, given: Mapping[str, str], user: GitHubUser) -> web.Response:
        target = given.get("redirect_uri", self._world.callback_urls[0])
        challenge = given.get("code_challenge") if self._takes_pkce else None
        code = self._tokens.issue_code(self._world.authorizations[user.id], target, challenge)
        return redirect_with(target, {"code": code.literal, **_state(given)})

    def _send_error(self, given: Mapping[str, str], error: str, to: str | None = None) -> web.Response:
        target = to or given.get("redirect_uri", self._world.callback_urls[0])
        uri = f"{DOCS}troubleshooting-authorization-request-errors/#{error.replace('_', '-')}"
        words = {"error": error, "error_description": AUTHORIZE_ERRORS[error], "error_uri": uri}
        return redirect_with(target, {**words, **_state(given)})

    @property
    def _takes_pkce(self) -> bool:
        """GitHub's changelog of July 2025: github.com takes PKCE; Enterprise Server up to 3.20 ignores it."""
        return self._world.is_at_least((3, 21))

    # The tokens

    def _give_token(self, request: web.Request, record: RecordedRequest) -> web.Response:
        """GitHub's docs: errors come with HTTP 200; the answer is a form unless JSON is accepted."""
        if record.query:
            self._violations.append(
                "POST /login/oauth/access_token: values in the address, where logs keep them"
            )
        given = {**record.query, **fields_of(record)}
        as_json = "application/json" in (record.accept or "")
        if given.get("client_id") != self._world.client_id:
            return web.json_response({"error": "Not Found"}, status=404)
        try:
            answer = _shape(self._exchange(given))
        except TokenRefused as refused:
            error = str(refused)
            uri = f"{DOCS}troubleshooting-oauth-app-access-token-request-errors/#{error.replace('_', '-')}"
            answer = {"error": error, "error_description": TOKEN_ERRORS[error], "error_uri": uri}
        if as_json:
            return web.json_response(answer)
        return web.Response(text=urlencode(answer), content_type="application/x-www-form-urlencoded")

    def _exchange(self, given: Mapping[str, str]) -> UserTokenPair:
        if not hmac.compare_digest(
            given.get("client_secret", "").encode(), self._world.client_secret.encode()
        ):
            raise TokenRefused("incorrect_client_credentials")
        grant = given.get("grant_type", "authorization_code")
        if grant == "refresh_token":
            pair = self._tokens.refresh(given.get("refresh_token", ""))
            if pair is None:
                raise TokenRefused("bad_refresh_token")
            return pair
        if grant != "authorization_code":
            raise TokenRefused("unsupported_grant_type")
        code = self._tokens.take_code(given.get("code", ""))
        if code is None:
            raise TokenRefused("bad_verification_code")
        if given.get("redirect_uri", code.redirect_uri) != code.redirect_uri:
            raise TokenRefused("redirect_uri_mismatch")
        if code.challenge is not None and challenge_of(given.get("code_verifier", "")) != code.challenge:
            raise TokenRefused("bad_verification_code")
        return self._tokens.issue(code.authorization)


def signed_in(world: GitHubWorld, request: web.Request) -> GitHubUser | None:
    """The person who is signed in on GitHub's pages in this browser."""
    number = request.cookies.get(COOKIE, "")
    found = world.accounts.get(int(number)) if number.isdecimal() else None
    return found if isinstance(found, GitHubUser) else None


def _shape(pair: UserTokenPair) -> dict[str, str | int]:
    answer: dict[str, str | int] = {"access_token": pair.access.literal}
    if pair.refresh is not None:
        answer |= {
            "expires_in": ACCESS_SECONDS,
            "refresh_token": pair.refresh.literal,
            "refresh_token_expires_in": REFRESH_SECONDS,
        }
    return answer | {"token_type": "bearer", "scope": ""}


def fields_of(record: RecordedRequest) -> dict[str, str]:
    """The text fields of a body: JSON, or a form."""
    body = record.body
    if isinstance(body, bytes):
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    return (
        {name: value for name, value in body.items() if isinstance(value, str)}
        if isinstance(body, dict)
        else {}
    )


def _own_path(given: str) -> str:
    """A path of this server, never another server's address."""
    return given if given.startswith("/") and not given.startswith("//") else "/"


def _state(given: Mapping[str, str]) -> dict[str, str]:
    return {"state": given["state"]} if "state" in given else {}


def redirect(target: str) -> web.Response:
    """A 302, as GitHub's pages answer."""
    return web.Response(status=302, headers={"Location": target, "Cache-Control": "no-store"})


def redirect_with(target: str, words: Mapping[str, str]) -> web.Response:
    """A 302 to the App's callback address with these query parameters added."""
    return redirect(f"{target}{'&' if '?' in target else '?'}{urlencode(words)}")
