"""The addresses of Slack's pages for apps, which are on another host than its API."""

from urllib.parse import quote, urlencode, urlsplit

SITES = {
    "slack.com": "https://api.slack.com",
    "www.slack.com": "https://api.slack.com",
    "slack-gov.com": "https://api.slack-gov.com",
}
"""By the API's host; for any other, as a stand-in's, the pages have its origin."""
LONGEST_ADDRESS = 7_000
"""Characters of an address that browsers and servers on the way take without doubt; Slack documents no limit."""


def apps_site(api_url: str) -> str:
    """The origin of the pages for apps."""
    parts = urlsplit(api_url)
    return SITES.get(parts.hostname or "", f"{parts.scheme}://{parts.netloc}")


def new_app_address(api_url: str, manifest: str) -> str:
    """The page that creates an app, filled in with the manifest (JSON) unless the address would get too long.

    Slack's docs, app manifests: `?new_app=1&manifest_json=…` is for sharing them.
    """
    page = f"{apps_site(api_url)}/apps"
    filled = f"{page}?{urlencode({'new_app': '1', 'manifest_json': manifest}, quote_via=quote)}"
    return filled if len(filled) <= LONGEST_ADDRESS else f"{page}?new_app=1"


def app_address(api_url: str, app_id: str | None, page: str) -> str:
    """A page of the app (`general`, `oauth`, `install-on-team`, …); the list of all apps if the id is not known."""
    apps = f"{apps_site(api_url)}/apps"
    return f"{apps}/{quote(app_id, safe='')}/{page}" if app_id else apps
