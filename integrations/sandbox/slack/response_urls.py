"""Response URLs: the app answers commands and clicks in messages by them."""

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace

from integrations.sandbox.slack.blocks import Json
from integrations.sandbox.slack.calls import ApiError, Arguments
from integrations.sandbox.slack.records import SlackMessage
from integrations.sandbox.slack.world import SlackWorld

# Slack's docs: valid for 30 minutes and five uses.
LIFETIME = 30 * 60
USES = 5
ARGUMENTS = frozenset(
    {"text", "blocks", "metadata", "parse", "link_names", "mrkdwn", "unfurl_links", "unfurl_media"}
)
ARGUMENTS |= {"response_type", "replace_original", "delete_original", "thread_ts"}


@dataclass(frozen=True, slots=True)
class ResponseUrl:
    """The user and channel of the answers; `source_ts` is the clicked message or the last answer."""

    path: str
    user: str
    channel: str
    source_ts: str | None
    made_at: float
    uses: int = 0


class ResponseUrls:
    """All response URLs issued, and the answers posted to them."""

    def __init__(self, world: SlackWorld, origin: Callable[[], str]) -> None:
        self._world = world
        self._origin = origin
        self._urls: dict[str, ResponseUrl] = {}

    def make(self, kind: str, user: str, channel: str, source: SlackMessage | None = None) -> str:
        """A new URL; `kind` is `actions` or `commands`, as in Slack's paths."""
        path = f"/{kind}/{self._world.app.team_id}/{len(self._urls) + 1}/{secrets.token_urlsafe(12)}"
        made_at = self._world.now()
        self._urls[path] = ResponseUrl(path, user, channel, source.ts if source else None, made_at)
        return self._origin() + path

    def receive(self, path: str, body: bytes) -> Json:
        """Process a POST to a response URL and return its payload.

        Raises ApiError: `expired_url`, `used_url`, `invalid_payload`, or the fault in the message.
        """
        url = self._urls.get(path)
        if url is None or self._world.now() - url.made_at > LIFETIME:
            raise ApiError("expired_url")
        if url.uses >= USES:
            raise ApiError("used_url")
        self._urls[path] = replace(url, uses=url.uses + 1)
        payload = json_object(body)
        self.answer(url.path, payload)
        return payload

    def answer(self, path: str, payload: Json) -> None:
        """Show an answer that was posted to the URL or given in a command's acknowledgement.

        Slack's docs: only the person sees it unless `response_type` is `in_channel`. `replace_original`
        redraws the clicked message. `delete_original` deletes it and must be the only key. `thread_ts` needs
        `in_channel` and `replace_original: false`.
        """
        url = self._urls[path]
        arguments = Arguments(payload)
        source = self._source(url)
        if arguments.flag("delete_original"):
            if len(payload) > 1 or source is None:
                raise ApiError(
                    "invalid_arguments", "delete_original must be the only key, and needs a message"
                )
            self._world.workspace.delete_message(source.channel, source.ts)
            return
        response_type = arguments.text("response_type") or "ephemeral"
        if response_type not in ("ephemeral", "in_channel"):
            raise ApiError("invalid_arguments", "response_type is ephemeral or in_channel")
        content = self._world.content("response_url", arguments, ARGUMENTS)
        if arguments.flag("replace_original") and source is not None:
            self._world.workspace.redraw(source, text=content.text, blocks=content.blocks or ())
            return
        private = response_type == "ephemeral"
        if private and self._world.workspace.users[url.user].presence != "active":
            return
        threaded = not private and payload.get("replace_original") is False
        message = self._world.workspace.post_as_app(
            url.channel,
            content.text,
            content.blocks or (),
            metadata=content.metadata or None,
            thread_ts=arguments.text("thread_ts") if threaded else None,
            ephemeral_to=url.user if private else None,
        )
        if url.source_ts is None:
            self._urls[path] = replace(self._urls[path], source_ts=message.ts)

    def _source(self, url: ResponseUrl) -> SlackMessage | None:
        if url.source_ts is None:
            return None
        workspace = self._world.workspace
        return workspace.message(url.channel, url.source_ts) or workspace.ephemeral(url.user, url.source_ts)


def json_object(body: bytes) -> Json:
    """The object in a JSON body, or `invalid_payload`."""
    try:
        payload = json.loads(body)
    except ValueError:
        raise ApiError("invalid_payload") from None
    if not isinstance(payload, dict):
        raise ApiError("invalid_payload")
    return payload
