"""Changes the code of GitHub's manifest flow for the App that GitHub has made.

GitHub's docs: "Registering a GitHub App from a manifest". The call needs no credential; a code works
once, within an hour.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import aiohttp

from integrations.github import errors
from integrations.github.accounts import GitHubAccount, account
from integrations.github.client import send_alone
from integrations.github.json_fields import decode_object, identifier, text
from integrations.github.responses import error_from_exception, error_from_response, message_of
from integrations.literal import Literal

CALL = "POST /app-manifests/{code}/conversions"


@dataclass(frozen=True, slots=True)
class NewApp:
    """An App that GitHub has just made, with its secrets."""

    id: int
    slug: str
    owner: GitHubAccount
    html_url: str
    client_id: str
    private_key: Literal
    client_secret: Literal
    webhook_secret: Literal | None
    """None for an App without a webhook address."""


async def convert_code(
    session: aiohttp.ClientSession, api_url: str, code: str, *, user_agent: str, now: Callable[[], float]
) -> NewApp:
    """Get the App of a code, which must be safe in a path. Raises GitHubError; NotFound for a used or old code."""
    failure: errors.GitHubError
    try:
        status, headers, body = await send_alone(
            session, "POST", f"{api_url}/app-manifests/{code}/conversions", user_agent, timeout=10.0
        )
    except (aiohttp.ClientError, OSError) as error:
        failure = error_from_exception(CALL, error)
    else:
        if status == 201:
            app = _read(decode_object(body) or {})
            if app is not None:
                return app
            failure = errors.Unavailable(CALL, 201, "the answer is not what GitHub describes")
        else:
            failure = error_from_response(CALL, status, headers, message_of(body), now())
        del body, headers  # The error's traceback must not hold the response.
    raise failure


def _read(raw: Mapping[str, object]) -> NewApp | None:
    number, owner = identifier(raw.get("id")), account(raw.get("owner"))
    names = [text(raw.get(name)) for name in ("slug", "html_url", "client_id", "pem", "client_secret")]
    slug, html_url, client_id, pem, client_secret = names
    if not (number and owner and slug and html_url and client_id and pem and client_secret):
        return None
    secret = text(raw.get("webhook_secret"))
    return NewApp(
        number,
        slug,
        owner,
        html_url,
        client_id,
        Literal(pem),
        Literal(client_secret),
        Literal(secret) if secret else None,
    )
