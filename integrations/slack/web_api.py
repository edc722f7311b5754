"""One call of Slack's Web API: sent once, and whatever goes wrong told by the classes of `errors`."""

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


class WebApi:
    """Slack's methods, each with a dict of arguments. An argument that is None is not sent."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client

    async def post(self, method: str, arguments: Mapping[str, object]) -> JsonObject:
        """Call a method that changes something, exactly once.

        Raises `SlackUncertain` where no answer came or Slack failed inside, other `SlackError`s where it refused.
        """
        return await self._call(method, json=_given(arguments))

    async def get(self, method: str, arguments: Mapping[str, object]) -> JsonObject:
        """Call a method that changes nothing; aiohttp sends a GET once more after a lost connection.

        Raises as `post` does.
        """
        return await self._call(method, params=_given(arguments))

    async def _call(
        self, method: str, *, json: dict[str, object] | None = None, params: dict[str, object] | None = None
    ) -> JsonObject:
        verb = "POST" if params is None else "GET"
        try:
            response = await self._client.api_call(method, http_verb=verb, json=json, params=params)
        except SlackApiError as error:
            raise _refusal(method, error) from None
        except TimeoutError:
            raise SlackUncertain(method, "timeout") from None
        except aiohttp.ClientConnectorCertificateError as error:
            reason = getattr(error.certificate_error, "verify_message", "") or "verify failed"
            raise SlackUntrusted(method, reason) from None
        except aiohttp.ClientError:
            raise SlackUncertain(method, "no_answer") from None
        except (AttributeError, UnicodeDecodeError):
            # The SDK takes any JSON or text for an object, and any bytes for UTF-8.
            raise SlackUncertain(method, "unreadable_answer") from None
        if not isinstance(response.data, dict):
            raise SlackUncertain(method, "unreadable_answer")
        return response.data


def _given(arguments: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in arguments.items() if value is not None}


def _refusal(method: str, error: SlackApiError) -> SlackError:
    """The error for an answer that was not `"ok": true`.

    The SDK's own error quotes the whole answer, so it is not chained: texts of ours could be in it.
    """
    response = error.response
    # For a body that is no JSON the SDK hands over aiohttp's response, else its own.
    status = int(getattr(response, "status_code", 0) or getattr(response, "status", 0))
    data = getattr(response, "data", None)
    answer: JsonObject = data if isinstance(data, dict) else {}
    code = str(answer.get("error") or f"http_{status}")
    if status == 429:
        return SlackRateLimited(method, code, retry_after_seconds(response.headers.get("Retry-After")))
    if status >= 500 or "error" not in answer:
        return SlackUncertain(method, code)
    return error_from_code(method, code, detail=_detail(answer))


def _detail(answer: JsonObject) -> str | None:
    """What helps an operator: the scope that is missing, or where a block is wrong, and none of our texts."""
    if answer.get("needed"):
        return f"needed: {answer['needed']}"
    pointers = _POINTER.findall(str(answer.get("response_metadata", "")))
    return ", ".join(dict.fromkeys(pointers)) or None
