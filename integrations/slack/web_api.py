"""Calls methods of Slack's Web API and turns every failure, HTTP 429 included, into a SlackError."""

import logging
import re
from collections.abc import Mapping

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from integrations.json_types import JsonObject
from integrations.slack.errors import (
    SlackError,
    SlackRateLimited,
    SlackUncertain,
    SlackUntrusted,
    error_from_code,
    retry_after_seconds,
)

_POINTER = re.compile(r"\[json-pointer:[^\]\s]{1,200}\]")


def build_client(token: str, api_url: str, session: aiohttp.ClientSession) -> AsyncWebClient:
    """The SDK's client for the API at `api_url`. `session` sets the time limit of each call."""
    # The SDK logs whole bodies at DEBUG, e.g. Socket Mode's address, which needs no other credential. Its default
    # handlers repeat a post after a lost connection.
    logger = logging.getLogger("integrations.slack.sdk")
    logger.setLevel(logging.INFO)
    client = AsyncWebClient(token, base_url=api_url, session=session, logger=logger, retry_handlers=[])
    # The SDK's own choice of a proxy ignores NO_PROXY; the session chooses it for each address.
    client.proxy = None
    return client


class WebApi:
    """Calls Slack's methods by name. Arguments that are None are not sent."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self.scopes: frozenset[str] | None = None
        """The bot's scopes, as the last answer gave them; None until one did."""

    async def post(self, method: str, arguments: Mapping[str, object]) -> JsonObject:
        """Call a method that changes something; it is sent once.

        Raises `SlackUncertain` without a response and for an internal error of Slack's, else the `SlackError` for
        Slack's error code.
        """
        return await self._call(method, json=_present(arguments))

    async def get(self, method: str, arguments: Mapping[str, object]) -> JsonObject:
        """Call a method that changes nothing; aiohttp repeats it once after a lost connection. Raises as `post`."""
        return await self._call(method, params=_present(arguments))

    async def _call(
        self, method: str, *, json: dict[str, object] | None = None, params: dict[str, object] | None = None
    ) -> JsonObject:
        verb = "POST" if params is None else "GET"
        try:
            response = await self._client.api_call(method, http_verb=verb, json=json, params=params)
        except SlackApiError as error:
            raise _error_of(method, error) from None
        except TimeoutError:
            raise SlackUncertain(method, "timeout") from None
        except aiohttp.ClientConnectorCertificateError as error:
            reason = getattr(error.certificate_error, "verify_message", "") or "verify failed"
            raise SlackUntrusted(method, reason) from None
        except aiohttp.ClientError:
            raise SlackUncertain(method, "no_answer") from None
        except (AttributeError, ValueError, RecursionError):
            # The SDK raises these for JSON that is not an object, bytes that are not UTF-8, a number of thousands of
            # digits, and thousands of nested brackets.
            raise SlackUncertain(method, "unreadable_answer") from None
        if not isinstance(response.data, dict):
            raise SlackUncertain(method, "unreadable_answer")
        scopes = response.headers.get("x-oauth-scopes")
        if isinstance(scopes, str):
            self.scopes = frozenset(scope.strip() for scope in scopes.split(","))
        return response.data


def _present(arguments: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in arguments.items() if value is not None}


def _error_of(method: str, error: SlackApiError) -> SlackError:
    """Return the error for a response without `"ok": true`.

    The SDK's error is not chained, since it quotes the whole response, which may repeat our texts.
    """
    response = error.response
    # `response` is the SDK's class, or aiohttp's for a body that is not JSON.
    status = int(getattr(response, "status_code", 0) or getattr(response, "status", 0))
    data = getattr(response, "data", None)
    content: JsonObject = data if isinstance(data, dict) else {}
    code = str(content.get("error") or f"http_{status}")
    if status == 429:
        return SlackRateLimited(method, code, retry_after_seconds(response.headers.get("Retry-After")))
    if status >= 500 or "error" not in content:
        return SlackUncertain(method, code)
    return error_from_code(method, code, detail=_detail(content))


def _detail(response: JsonObject) -> str | None:
    """Return what helps an operator, without our texts: the missing scope, or the JSON pointers of wrong blocks."""
    if response.get("needed"):
        return f"needed: {response['needed']}"
    pointers = _POINTER.findall(str(response.get("response_metadata", "")))
    return ", ".join(dict.fromkeys(pointers)) or None
