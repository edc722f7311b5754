"""Formats people, validity, resolutions, locations and durations for all messages."""

from collections.abc import Sequence

from integrations.slack import text as t
from integrations.slack.blocks import Block, Content, message, section
from integrations.slack.text import Mrkdwn
from storage.records import Alert, CommitAuthor, Person, Repository, SecretLocation

RESOLUTIONS = {
    "revoked": "revoked",
    "false_positive": "false positive",
    "used_in_tests": "used in tests",
    "wont_fix": "won't fix",
    "pattern_edited": "pattern edited",
    "pattern_deleted": "pattern deleted",
}
PROBE_REASONS = {
    "accepted": "GitHub accepted it",
    "bad_credentials": "GitHub does not accept it",
    "sso_required": "GitHub accepted it and asks for single sign-on",
    "ip_allow_list": "GitHub accepted it, but an IP allow list blocks us",
    "not_permitted": "GitHub accepted it, but not for this request",
    "rate_limited": "GitHub asks us to wait",
    "logins_locked": "GitHub refuses all logins from here for a while",
    "not_found": "GitHub gave no usable answer",
    "forbidden": "GitHub refused to say",
    "server_error": "GitHub had trouble answering",
    "redirected": "GitHub gave no usable answer",
    "unexpected_answer": "GitHub gave no usable answer",
    "timeout": "GitHub did not answer in time",
    "unreachable": "GitHub could not be reached",
    "not_a_token": "the secret is not a GitHub token in full",
    "cannot_be_asked": "there is no harmless way to ask about this kind of token",
}


def resolution_words(resolution: str | None) -> str:
    """GitHub's resolution in words; an unknown one is shown as it is."""
    return RESOLUTIONS.get(resolution or "", (resolution or "unknown reason").replace("_", " "))


VIA_STANCH = "via Stanch"
"""Follows a person who did something in the name of Stanch's App, which is whom GitHub shows."""


def person_words(person: Person | None) -> Mrkdwn:
    """A person as `<@U1> (octo-admin)`, or the part of it that is known."""
    if person is None:
        return Mrkdwn("somebody")
    login = t.code(person.github.login) if person.github else None
    if person.slack_user is None:
        return login or Mrkdwn("somebody")
    return t.mrkdwn("{} ({})", t.user(person.slack_user), login) if login else t.user(person.slack_user)


def plain_name(person: Person | None) -> Mrkdwn:
    """A person by the GitHub login, without a mention: nobody is notified of what they did themselves."""
    return t.code(person.github.login) if person and person.github else Mrkdwn("somebody")


def doubt(author: CommitAuthor) -> str:
    """Why an author who is not proved may be another one."""
    return "signed by another account" if author.verified else "unsigned"


def closed_by(alert: Alert) -> Person | None:
    """Who closed the alert, through Stanch or on GitHub; None if GitHub names nobody."""
    return alert.acted_by or (Person(github=alert.resolved_by) if alert.resolved_by else None)


def closed_by_words(alert: Alert, *, first: bool = False) -> Mrkdwn:
    """Who closed the alert, and in whose name GitHub shows it; `first` starts a sentence.

    `by @ana (octo-ana)` in the person's own name, `by @ana (octo-ana) via Stanch` in the App's; `on GitHub` for a
    closure on GitHub's page.
    """
    person, shown = closed_by(alert), alert.resolved_by
    if person is None:
        return Mrkdwn("On GitHub") if first else Mrkdwn("on GitHub")
    by = t.mrkdwn("{} {}", "By" if first else "by", person_words(person))
    if person.slack_user is None:
        return t.mrkdwn("{} on GitHub", by)
    own_name = shown is not None and person.github is not None and shown.id == person.github.id
    return by if own_name else t.mrkdwn("{} {}", by, VIA_STANCH)


def duration_words(seconds: float) -> str:
    """A duration in its largest unit: `20 seconds`, `16 minutes`, `2 days`."""
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
        if seconds >= size:
            return counted(int(seconds // size), unit)
    return "a moment"


def counted(number: int, one: str, many: str | None = None) -> str:
    """A number with its noun: `1 alert`, `3 alerts`; `many` is a plural that is not made with `s`."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"


DONE_OFTEN = {"report_leak": ("reported", "secret"), "close_alert": ("closed", "alert")}
"""What a person did who has reached a limit, by the action's word in the audit log."""


def done_often(action: str, number: int) -> str:
    """`closed 50 alerts`, `reported 1 secret`; `action` is the word in the audit log."""
    if action not in DONE_OFTEN:
        return f"did the same {counted(number, 'time')}"
    did, what = DONE_OFTEN[action]
    return f"{did} {counted(number, what)}"


def line_sections(lines: Sequence[Mrkdwn], size: int) -> list[Block]:
    """The lines as sections of `size` lines each."""
    return [section(t.lines(*lines[at : at + size])) for at in range(0, len(lines), size)]


def with_mention(content: Content, group: str) -> Content:
    """The message, with a mention of a user group below it; not in its text, which has no markup."""
    return message(content.text, *content.blocks, section(t.mrkdwn("cc {}", t.user_group(group))))


def joined_words(words: Sequence[str]) -> str:
    """Words joined to a list: `repo`, `repo and workflow`, `gist, repo and workflow`."""
    return " and ".join((", ".join(words[:-1]), words[-1])) if len(words) > 1 else "".join(words)


def alert_title(alert: Alert, repository: Repository) -> Mrkdwn:
    """`GitHub Personal Access Token in octo/payments, alert 42`, with links to GitHub."""
    return t.mrkdwn(
        "{} in {}, alert {}",
        t.link(alert.html_url, alert.secret_type_name),
        t.link(repository.html_url, repository.full_name),
        alert.key.number,
    )


def alert_name(alert: Alert, repository: Repository) -> Mrkdwn:
    """The same without links, for answers and forms."""
    return t.mrkdwn(
        "*{}* in {}, alert {}", alert.secret_type_name, t.code(repository.full_name), alert.key.number
    )


def location_words(location: SecretLocation, repository: Repository) -> Mrkdwn:
    """A location: commit link, path and line; for other kinds, the kind as a link: `issue body`."""
    kind = location.kind.replace("_", " ")
    if location.commit_sha is None:
        return t.link(location.url or "", kind)
    sha = location.commit_sha[:7]
    if location.kind == "commit":
        commit = t.link(f"{repository.html_url}/commit/{location.commit_sha}", sha)
    else:
        # A wiki is a repository of its own, so its commits have no page in the main one.
        commit = t.mrkdwn("{} {}", kind, t.link(location.url or "", sha))
    if not location.path:
        return commit
    path = t.code(location.path)
    return (
        t.mrkdwn("{}, {} line {}", commit, path, location.line) if location.line else t.join((commit, path))
    )


def is_github_secret(alert: Alert) -> bool:
    """Whether GitHub itself issued the secret."""
    return alert.secret_type.startswith("github_")


def secret_noun(alert: Alert) -> str:
    """`token` for GitHub's own tokens, `secret` for all others."""
    return "token" if is_github_secret(alert) else "secret"
