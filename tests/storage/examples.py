"""Example records for tests."""

from dataclasses import replace

from storage.records import (
    Account,
    Alert,
    AlertKey,
    AlertNumber,
    AlertState,
    ChannelId,
    GitHubId,
    Identity,
    Installation,
    InstallationId,
    InstallationState,
    Message,
    MessageKey,
    MessagePurpose,
    Person,
    Probe,
    Report,
    ReportState,
    Repository,
    RepositoryId,
    SecretLocation,
    SlackTeamId,
    SlackUserId,
    TokenFacts,
)

ANA = Account(GitHubId(2_000_000_000_001), "ana")
BEN = Account(GitHubId(7), "ben")
TEAM = SlackTeamId("T1")


def key(number: int = 42, repository: int = 9_000_000_000) -> AlertKey:
    return AlertKey(RepositoryId(repository), AlertNumber(number))


def plain_alert(number: int = 42, repository: int = 9_000_000_000, created_at: float = 1000.25) -> Alert:
    """An alert with the required fields only."""
    return Alert(
        key=key(number, repository),
        html_url="https://github.com/octo/payments/security/secret-scanning/42",
        secret_type="github_personal_access_token",
        secret_type_name="GitHub Personal Access Token",
        created_at=created_at,
        updated_at=2000.125,
        first_seen_at=3000.1,
    )


def full_alert() -> Alert:
    """An alert with a value in every field."""
    by = Person(TEAM, SlackUserId("U1"), ANA)
    return replace(
        plain_alert(),
        provider="GitHub",
        category="generic",
        state=AlertState.RESOLVED,
        resolution="a word that GitHub may add",
        resolution_comment="zu spät, «naïve» 🙂",
        resolved_by=ANA,
        resolved_at=1_790_000_000.123456,
        validity="active",
        publicly_leaked=True,
        multi_repo=True,
        base64_encoded=True,
        bypassed=True,
        bypassed_by="ben",
        bypassed_at=1001.0,
        bypass_comment="it's a test",
        place=SecretLocation(
            "commit", "a/b.py", 12, "abc", "https://github.com/octo/payments/blob/abc/a/b.py"
        ),
        has_more_places=True,
        assigned_to=BEN,
        token=TokenFacts(BEN, "ben's token", ("repo", "read:org"), 5000.5),
        detailed=True,
        probe=Probe("active", "accepted", 4000.0, by, ever_active=True),
        report=Report(ReportState.WAITING, by, 4100.0, 4200.0, "rate_limited"),
        taken_by=Person(TEAM, SlackUserId("U2"), BEN),
        taken_at=4300.0,
        acted_by=Person(github=ANA),
        validity_written=True,
    )


def repository(number: int = 9_000_000_000, full_name: str = "octo/payments") -> Repository:
    return Repository(
        id=RepositoryId(number),
        full_name=full_name,
        owner=ANA,
        owner_type="Organization",
        visibility="private",
        html_url=f"https://github.com/{full_name}",
        installation_id=InstallationId(11),
    )


def installation(number: int = 11) -> Installation:
    return Installation(InstallationId(number), ANA, "Organization", InstallationState.ACTIVE)


def message(name: str, channel: str = "C1", subject: str | None = None) -> Message:
    """A message without an alert."""
    purpose = MessagePurpose.CARD
    return Message(MessageKey(name), purpose, ChannelId(channel), subject or name, None, created_at=1.5)


def identity(user: str, account: Account, team: SlackTeamId = TEAM) -> Identity:
    return Identity(team, SlackUserId(user), account, "mapping", 1000.5, "cli")
