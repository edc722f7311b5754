"""Addresses of a GitHub server: its API, and the pages on which an App is made and changed. Pure."""

from urllib.parse import quote, urlsplit

DOTCOM, DATA_RESIDENCY = "github.com", ".ghe.com"


def api_address(url: str) -> str:
    """The API of the server whose website is `url`: github.com, `OCTO.ghe.com`, else GitHub Enterprise Server."""
    parts = urlsplit(url)
    host = parts.netloc.lower()
    if host == DOTCOM or host.endswith(DATA_RESIDENCY):
        return f"{parts.scheme}://api.{host}"
    return f"{url.rstrip('/')}/api/v3"


def new_app_page(url: str, organization: str | None) -> str:
    """The page that registers an App on an organization, or on the account of the person who is signed in."""
    return f"{_settings(url, organization)}/new"


def app_page(url: str, organization: str | None, slug: str) -> str:
    """The settings page of an App."""
    return f"{_settings(url, organization)}/{quote(slug, safe='')}"


def enterprise_app_page(url: str, enterprise: str, slug: str) -> str:
    """The settings page of an App that belongs to an enterprise."""
    return f"{url}/enterprises/{quote(enterprise, safe='')}/settings/apps/{quote(slug, safe='')}"


def installation_page(url: str, organization: str | None, installation_id: int) -> str:
    """The settings page of an installation, where an owner accepts permissions that the App asks for."""
    owner = f"organizations/{quote(organization, safe='')}/" if organization else ""
    return f"{url}/{owner}settings/installations/{installation_id}"


def _settings(url: str, organization: str | None) -> str:
    owner = f"organizations/{quote(organization, safe='')}/" if organization else ""
    return f"{url}/{owner}settings/apps"
