"""Every parser of what comes from outside, as a function of bytes, with the errors by which it may refuse them."""

import json
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.cli.identity_file import read_rows
from bot.errors import StartRefused, UnusableJob
from bot.inbound import read_requests
from bot.job_kinds import KINDS
from bot.job_rows import job_text, read_job, read_job_text
from bot.rules.filters import BadFilter, parse_filter, parse_subscription_filter
from bot.rules.masking import mask
from bot.rules.typed_text import normalize_typed
from bot.settings import OptionsFile, load_options
from integrations.github import errors, facts, webhook_body
from integrations.github.json_fields import decode_object
from integrations.github.webhook_events import parse_event
from integrations.github.webhook_signature import verify_signature
from integrations.slack import facts as slack_facts
from integrations.slack import payloads
from integrations.slack.payloads import BadPayload, Click, Shortcut, SlashCommand, Submit
from storage.database_url import read_url
from storage.records import Job, JobId, JobState

CONTENT_TYPES = ("application/json", "application/x-www-form-urlencoded")
EVENTS = (
    *("secret_scanning_alert", "secret_scanning_alert_location", "installation", "repository", "member"),
    *("installation_repositories", "organization", "membership", "team", "github_app_authorization"),
)


@dataclass(frozen=True, slots=True)
class Target:
    """One parser. Any error besides `refusals` is a fault."""

    parse: Callable[[bytes], object]
    refusals: tuple[type[Exception], ...] = ()
    examples: tuple[bytes, ...] = ()
    """Where a search begins."""

    def run(self, data: bytes) -> None:
        """Parse; raises what must not be raised."""
        with suppress(*self.refusals):
            self.parse(data)


def _first(data: bytes, choices: tuple[str, ...]) -> tuple[str, bytes]:
    """The first byte chooses one of several."""
    return choices[data[0] % len(choices) if data else 0], data[1:]


def _webhook(data: bytes) -> None:
    event, rest = _first(data, EVENTS)
    content_type, body = _first(rest, CONTENT_TYPES)
    condensed = webhook_body.condense(webhook_body.decode_body(body, content_type), mask)
    json.dumps(condensed, ensure_ascii=False).encode()
    parse_event(event, condensed)


def _webhook_signature(data: bytes) -> None:
    assert not verify_signature("a key", b"a body", data.decode("latin-1"))


def _slack(data: bytes) -> None:
    """From the body to the job that is stored."""
    content_type, body = _first(data, CONTENT_TYPES)
    match payloads.parse_payload(payloads.decode_body(body, content_type)):
        case Click() as click:
            makers = ("action_job", "menu_job", "owner_job", "pick_job", "outdated_job", "button_job")
            for maker in makers:
                job_text(getattr(read_requests, maker)(click, 1.0))
        case Submit() as submit:
            read_requests.submit_request("close_alert", submit, 1.0)
        case SlashCommand() as command:
            read_requests.command_request(command, 1.0)
        case Shortcut() as shortcut:
            read_requests.shortcut_job(shortcut, 1.0, "https://github.com")


def _stored_job(data: bytes) -> None:
    kind, rest = _first(data, tuple(KINDS))
    payload = decode_object(rest)
    read_job_text(rest.decode("latin-1"))
    if payload is not None:
        read_job(_job(kind, payload))


def _job(kind: str, payload: Mapping[str, Any]) -> Job:
    return Job(JobId(1), kind, payload, None, JobState.RUNNING, 0.0, 1, None, 0.0)


def _github_answer(data: bytes) -> None:
    raw = decode_object(data)
    if raw is None:
        return
    for parse in (facts.parse_alert, facts.parse_repository, facts.parse_installation, facts.parse_location):
        with suppress(errors.Malformed, errors.NoAccount):
            parse(raw)


def _slack_answer(data: bytes) -> None:
    raw = decode_object(data)
    if raw is None:
        return
    for parse in (
        *(
            slack_facts.parse_bot,
            slack_facts.parse_person,
            slack_facts.parse_people,
            slack_facts.parse_channel,
        ),
        *(slack_facts.parse_members, slack_facts.parse_user_groups, slack_facts.parse_view),
    ):
        parse(raw)


def _filter(data: bytes) -> None:
    text = normalize_typed(data.decode("utf-8", "surrogatepass" if data.isascii() else "replace"))
    for parse in (parse_filter, parse_subscription_filter):
        with suppress(BadFilter):
            parse(text)


def _in_file(name: str, read: Callable[[Path], object]) -> Callable[[bytes], object]:
    def parse(data: bytes) -> object:
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / name
            path.write_bytes(data)
            return read(path)

    return parse


TARGETS: Mapping[str, Target] = {
    "webhook": Target(
        _webhook,
        (errors.BadDelivery,),
        (b'\0\0{"action":"created","alert":{"number":1},"repository":{"id":1}}',),
    ),
    "webhook signature": Target(_webhook_signature, (), (b"sha256=00",)),
    "request of Slack": Target(
        _slack, (BadPayload,), (b'\0{"type":"block_actions","actions":[{"action_id":"take","value":"1/2"}]}',)
    ),
    "stored job": Target(_stored_job, (UnusableJob,), (b'\0{"guid":"x"}',)),
    "answer of GitHub": Target(
        _github_answer, (), (b'{"number":1,"state":"open","id":2,"full_name":"a/b"}',)
    ),
    "answer of Slack": Target(
        _slack_answer, (), (b'{"user":{"id":"U1"},"channel":{"id":"C1"},"members":["U1"]}',)
    ),
    "filter": Target(_filter, (), (b"is:open repo:octo/payments older:7d -validity:active",)),
    "identities file": Target(
        _in_file("people.csv", read_rows), (StartRefused,), (b"slack_user,github_login\nU0A,ana\n",)
    ),
    "options file": Target(
        _in_file("stanch.toml", lambda path: load_options(OptionsFile(stanch_config=path))),
        (StartRefused,),
        (b"[report]\napprovals = 2\n",),
    ),
    "database address": Target(
        lambda data: read_url(data.decode("utf-8", "replace")),
        (ValueError,),
        (b"postgresql://a:b@host:1/name?sslmode=require",),
    ),
    "masking": Target(lambda data: mask(data.decode("utf-8", "replace")), (), (b"token=x",)),
}
