"""The stand-in's web pages for signing in on GitHub: choose a person, authorize the App, single sign-on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from urllib.parse import urlencode

from aiohttp import web

from integrations.sandbox.github.records import GitHubUser, Organization
from integrations.sandbox.github.world import GitHubWorld

KEPT = ("client_id", "redirect_uri", "state", "code_challenge", "code_challenge_method", "login")
STYLE = """
:root { color-scheme: light dark; --line: #d1d9e0; --back: #f6f8fa; --card: #fff; --text: #1f2328; --go: #1f7a34 }
@media (prefers-color-scheme: dark) {
  :root { --line: #3d444d; --back: #0d1117; --card: #151b23; --text: #f0f6fc; --go: #1f7a34 }
}
body { margin: 0; background: var(--back); color: var(--text); font: 16px/1.5 system-ui, sans-serif }
main { max-width: 26rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.4rem; text-align: center; font-weight: 500 }
form, section { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 1rem;
  margin: 1rem 0 }
button, a.button { display: block; box-sizing: border-box; width: 100%; min-height: 44px; margin: .5rem 0;
  padding: .5rem; border: 1px solid var(--line); border-radius: 6px; background: var(--back);
  color: var(--text); font: inherit; text-align: center; text-decoration: none; cursor: pointer }
button.main { background: var(--go); border-color: var(--go); color: #fff; font-weight: 600 }
label { display: block; margin: .5rem 0; font-size: .9rem }
label input:not([type=checkbox]), label textarea, label select { display: block; box-sizing: border-box; width: 100%;
  min-height: 44px; padding: .25rem .5rem; border: 1px solid var(--line); border-radius: 6px;
  background: var(--back); color: var(--text); font: inherit }
p.error { color: #b3261e; font-weight: 600 }
p.note { font-size: .9rem; text-align: center }
a { color: inherit }
"""


def page(title: str, content: str, status: int = 200) -> web.Response:
    """An HTML page in the stand-in's layout; `content` is HTML."""
    text = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">'
        f"<style>{STYLE}</style></head><body><main><h1>{escape(title)}</h1>{content}"
        '<p class="note">This is the stand-in for GitHub.</p></main></body></html>'
    )
    headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return web.Response(status=status, text=text, content_type="text/html", headers=headers)


def failed(status: int, message: str) -> web.Response:
    """A page that says only this."""
    return page("GitHub", f"<section><p>{escape(message)}</p></section>", status)


def login(people: Iterable[GitHubUser], return_to: str, suggested: str | None) -> web.Response:
    """*Sign in to GitHub*: a button for each person, the suggested one first; there are no passwords."""
    ordered = sorted(people, key=lambda each: (each.login != suggested, each.login))
    buttons = "".join(
        f'<button name="login" value="{escape(each.login)}"'
        f"{' class=main' if each.login == suggested else ''}>{escape(each.login)}</button>"
        for each in ordered
    )
    kept = hidden({"return_to": return_to})
    return page("Sign in to GitHub", f'<form method="post" action="/session">{kept}{buttons}</form>')


def consent(
    world: GitHubWorld, user: GitHubUser, given: Mapping[str, str], missing: Sequence[Organization]
) -> web.Response:
    """*Authorize Stanch*, with the organizations that ask for single sign-on first."""
    kept = hidden({name: given[name] for name in KEPT if name in given})
    name = escape(world.app_slug.title())
    address = "/login/oauth/authorize?" + urlencode(given)
    sessions = "".join(
        f'<a class="button" href="/orgs/{escape(each.login)}/sso?{escape(urlencode({"return_to": address}))}">'
        f"Single sign-on to {escape(each.login)}</a>"
        for each in missing
    )
    other = "/login?" + urlencode({"return_to": address})
    return page(
        f"Authorize {world.app_slug.title()}",
        f"<section><p><strong>{name}</strong> would like permission to verify your GitHub identity and to act "
        f"on your behalf.</p><p>Signed in as <strong>{escape(user.login)}</strong>. "
        f'<a href="{escape(other)}">Use a different account</a></p>{sessions}</section>'
        f'<form method="post" action="/login/oauth/authorize">{kept}'
        f'<button class="main" name="authorize" value="1">Authorize {name}</button>'
        '<button name="authorize" value="0">Cancel</button></form>',
    )


def single_sign_on(organization: Organization, return_to: str) -> web.Response:
    """The organization's identity provider, which lets everybody in."""
    kept = hidden({"return_to": return_to})
    login = escape(organization.login)
    return page(
        f"Single sign-on to {organization.login}",
        f'<form method="post" action="/orgs/{login}/sso">{kept}<button class="main">Continue</button></form>',
    )


def hidden(values: Mapping[str, str]) -> str:
    """Hidden fields of a form."""
    return "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in values.items()
    )
