"""The kinds of secrets to leak on the demo page, and how they are leaked."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from integrations.sandbox.github import GitHubAlert, GitHubRepository, GitHubSandbox, LiveToken

LeakKind = Literal["classic", "fine_grained", "oauth", "dead", "stripe", "aws", "private_key", "hostile"]
LEAK_KINDS: dict[LeakKind, str] = {
    "classic": "GitHub token that works",
    "fine_grained": "GitHub fine-grained token that works",
    "oauth": "GitHub OAuth token that works",
    "dead": "GitHub token that no longer works",
    "stripe": "Stripe API key",
    "aws": "AWS access key",
    "private_key": "RSA private key",
    "hostile": "GitHub token beside hostile text",
}
MOST_AT_ONCE = 500
PATHS = (
    "config/deploy.env",
    "src/client.py",
    "scripts/release.sh",
    "docker-compose.yml",
    ".github/workflows/ci.yml",
)
BYPASS_COMMENT = "Will fix it in the next sprint"
HOSTILE = "<!channel> *bold* `code` <https://evil.example|your bank> <@U0SAM> :tada: &amp;"


@dataclass(frozen=True, slots=True)
class Leak:
    """One push with secrets: their kind, their number, the circumstances."""

    kind: LeakKind
    count: int = 1
    bypassed: bool = False
    publicly_leaked: bool = False


def leak_secrets(github: GitHubSandbox, repository: GitHubRepository, leak: Leak) -> Iterator[GitHubAlert]:
    """Leak one secret after the other, as the page's developer; each sends its webhook."""
    author = github.user("dana-kim")
    assert author is not None, "she is one of the page's people"
    for path in itertools.islice(_paths(leak), min(leak.count, MOST_AT_ONCE)):
        bypassed = author if leak.bypassed or leak.kind == "hostile" else None
        comment = HOSTILE if leak.kind == "hostile" else BYPASS_COMMENT
        secret_type, name, provider = _type_of(leak.kind)
        alert = github.leak(
            repository,
            secret_type=secret_type,
            display_name=name,
            provider=provider,
            token=_token(github, leak.kind),
            publicly_leaked=leak.publicly_leaked,
            bypassed_by=bypassed,
            bypass_comment=comment if bypassed else None,
            path=path,
            author=author,
        )
        github.commit_of(alert).signed = leak.kind not in ("hostile", "private_key")
        yield alert


def _paths(leak: Leak) -> Iterator[str]:
    if leak.kind == "hostile":
        yield from itertools.repeat(f"src/{HOSTILE}.env")
    for number in itertools.count():
        path = PATHS[number % len(PATHS)]
        yield path if number < len(PATHS) else f"history/{number // len(PATHS)}/{path}"


def _token(github: GitHubSandbox, kind: LeakKind) -> LiveToken | None:
    owner = github.user("dana-kim")
    assert owner is not None, "she is one of the page's people"
    soon = github.now() + 60 * 24 * 3600
    match kind:
        case "classic" | "hostile":
            return github.add_live_token(owner=owner, scopes=("repo", "workflow"), expires_at=soon)
        case "fine_grained":
            return github.add_live_token(owner=owner, kind="fine_grained", expires_at=soon)
        case "oauth":
            return github.add_live_token(owner=owner, kind="oauth", scopes=("repo",))
    return None


def _type_of(kind: LeakKind) -> tuple[str, str | None, str | None]:
    """GitHub's slug, the name if the stand-in doesn't know it, and the provider."""
    match kind:
        case "oauth":
            return "github_oauth_access_token", None, None
        case "stripe":
            return "stripe_api_key", "Stripe API Key", "Stripe"
        case "aws":
            return "aws_access_key_id", "Amazon AWS Access Key ID", "Amazon AWS"
        case "private_key":
            return "rsa_private_key", "RSA Private Key", None
    return "github_personal_access_token", None, None
