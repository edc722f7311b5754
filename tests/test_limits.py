"""docs/security.md states each limit on what comes in as the code has it."""

import inspect
import re

from aiohttp.web_protocol import RequestHandler

from bot.app import open_session
from bot.flows.alerts import redeliver
from bot.flows.people import linking, visibility
from bot.flows.subscribing import propose
from bot.inbound import (
    github_webhooks,
    post_requests,
    read_requests,
    setup_routes,
    sign_in_routes,
    slack_requests,
)
from bot.rules import comments, filters, pagination, setup_code
from bot.views import history, link_pages
from integrations.github import responses
from integrations.slack import api, signature, text
from tests.test_docs import TEXTS, table

SERVER = inspect.signature(RequestHandler.__init__).parameters
"""aiohttp's own limits, which Stanch leaves as they are."""

LIMITS: dict[str, tuple[int | float, str]] = {
    "body of `POST /github/webhooks`, unpacked": (github_webhooks.LARGEST, "bytes"),
    "body of `POST /slack/events`, unpacked": (slack_requests.LARGEST, "bytes"),
    "time for a whole body": (post_requests.READ_WITHIN, "seconds"),
    "request line": (SERVER["max_line_size"].default, "bytes"),
    "one header": (SERVER["max_field_size"].default, "bytes"),
    "number of headers": (SERVER["max_headers"].default, ""),
    "`X-GitHub-Event`": (github_webhooks.LONGEST_WORD, "characters"),
    "`X-GitHub-Delivery`, and a delivery's action": (github_webhooks.LONGEST_WORD, "characters"),
    "age of a request of Slack": (signature.MAX_AGE, "seconds"),
    "parameter of `/github/link` and `/github/callback`": (sign_in_routes.LONGEST, "characters"),
    "pages of one sign-in that wait for GitHub": (linking.MOST_PAGES, ""),
    "form of the page of `stanch setup`": (setup_routes.LARGEST, "bytes"),
    "wrong codes on that page": (setup_code.TRIES, ""),
    "time without use of that page": (setup_routes.IDLE, "seconds"),
    "text of a command": (read_requests.LONGEST_TEXT, "characters"),
    "filter": (filters.MAX_LENGTH, "characters"),
    "repositories named in a filter": (propose.MOST_NAMES, ""),
    "comment": (comments.MAX_COMMENT, "characters"),
    "outside text in a message": (text.WORDS_LIMIT, "UTF-16 units"),
    "outside text in code style": (text.CODE_LIMIT, "UTF-16 units"),
    "address of a link": (text.URL_LIMIT, "characters"),
    "name on the page of the sign-in": (link_pages.LONGEST_NAME, "characters"),
    "GitHub's reason in a message, the log or the audit log": (responses._LONGEST_MESSAGE, "characters"),
    "alerts on a page of a list": (pagination.PAGE_SIZE, ""),
    "alerts that a list counts": (pagination.MOST_COUNTED, ""),
    "entries of a history": (history.MAX_EVENTS, ""),
    "locations of an alert": (history.MAX_LOCATIONS, ""),
    "repositories that GitHub is asked about for one list": (visibility.MOST_REPOSITORIES, ""),
    "messages read to find a post": (api.PAGE * api.PAGES, ""),
    "failed deliveries that a sync asks for again": (redeliver.MOST, ""),
}


async def test_each_limit_is_described_with_its_number() -> None:
    async with open_session() as session:
        assert session.connector is not None
        known = {**LIMITS, "connections to Slack and GitHub at once": (session.connector.limit, "")}
        assert f"ends after {session.timeout.total:.0f} seconds" in re.sub(
            r"\s+", " ", TEXTS["docs/security.md"]
        )
    assert {row[0]: row[1] for row in table("limit")} == {
        name: f"{number:,.0f} {unit}".strip() for name, (number, unit) in known.items()
    }
