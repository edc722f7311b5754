"""Who Stanch is on Slack and GitHub, whether both answer, and short caches of people and channels."""

import asyncio
from dataclasses import dataclass

import structlog

from bot.errors import RetryLater, StartRefused
from bot.job_kinds import RedrawCards
from bot.job_rows import new_job
from bot.our_accounts import OurAccounts
from bot.rules.outsiders import Workspace
from bot.rules.report_eligibility import ServerAbilities
from integrations.github import errors as github_errors
from integrations.github import server_features as github_server
from integrations.github.accounts import GitHubAccount
from integrations.github.api import GitHub
from integrations.github.app_facts import AppFacts
from integrations.slack import errors as slack_errors
from integrations.slack.api import Slack
from integrations.slack.facts import ChannelFacts, PersonFacts
from storage import jobs, saved_values
from storage.clock import Clock
from storage.db import Database, StorageUnavailable
from storage.records import ChannelId, UnixTime

log = structlog.get_logger(__name__)
CLOCK_LEEWAY = 5.0
"""Seconds by which the clocks of two machines may differ."""
CLOCK_OFF = 30.0
"""If GitHub refuses the key and the clocks differ by this many seconds, the message names the clock as the cause.

Our JWTs are dated back by a minute, so a smaller difference does no harm.
"""
CACHED_FOR = 300.0
"""Seconds for which Slack's facts about a person or a channel are cached."""
ANSWER_WITHIN = 10.0
"""Seconds to wait for Slack or GitHub to say who we are."""
RETRY_AFTER = 10.0
"""Seconds between two checks while Slack or GitHub does not answer."""
OLDEST = ".".join(map(str, github_server.OLDEST))
CHECK_EVERY = 60.0
"""Seconds between two checks while both answer."""


@dataclass(frozen=True, slots=True)
class PlatformState:
    """Whether a server answers us, and the reason."""

    ok: bool
    reason: str


NOT_CHECKED = PlatformState(ok=False, reason="not checked yet")


class Platforms:
    """One per process; `check_slack` and `check_github` fill it."""

    def __init__(
        self,
        slack: Slack,
        github: GitHub,
        db: Database,
        clock: Clock,
        *,
        accounts: OurAccounts,
        github_api_url: str,
    ) -> None:
        self._slack = slack
        self._github_api_url = github_api_url
        self._github = github
        self._db = db
        self._clock = clock
        self.accounts = accounts
        self._server_key = f"server:{github_api_url}"
        self._people: dict[str, tuple[UnixTime, PersonFacts]] = {}
        self._channels: dict[str, tuple[UnixTime, ChannelFacts]] = {}
        self.workspace: Workspace | None = None
        known = github_server.server_by_host(github_api_url)
        self.server = _abilities(known) if known else ServerAbilities()
        """What this GitHub server can do; while that is not known, nothing counts as possible."""
        self.slack = NOT_CHECKED
        self.socket: PlatformState | None = None
        """State of the Socket Mode connection; None without Socket Mode."""
        self.github = NOT_CHECKED

    async def check_slack(self) -> None:
        """Ask Slack which workspace this is; raises StartRefused if Slack refuses the token."""
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                bot = await self._slack.whoami()
        except slack_errors.SlackUnauthorized as error:
            self.slack = PlatformState(False, f"Slack refuses the bot token: {error.code}")
            raise StartRefused(
                f"Slack at {self._slack.client.base_url} refuses SLACK_BOT_TOKEN ({error.code}): "
                "take the current bot token from the app's page OAuth & Permissions."
            ) from None
        except (slack_errors.SlackError, TimeoutError) as error:
            self.slack = _no_answer(f"Slack at {self._slack.client.base_url}", error)
            return
        self.workspace = Workspace(bot.team_id, bot.enterprise_id)
        self.slack = PlatformState(True, "answers")

    async def load(self) -> None:
        """Load what an earlier run stored about GitHub, for use until it answers; raises StorageUnavailable."""
        await self.accounts.load()
        async with self._db.read() as tx:
            known = await saved_values.load(tx, self._server_key)
        if self.server == ServerAbilities() and isinstance(known, dict):
            version = known.get("version")
            self.server = _abilities(github_server.ServerFacts(version if isinstance(version, str) else None))

    async def check_github(self) -> None:
        """Ask GitHub who owns the App and what the server can do.

        Raises StartRefused if GitHub refuses the key or GITHUB_ACCOUNTS is ambiguous, and StorageUnavailable.
        """
        await self.load()
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                await self.accounts.resolve(await self._fetch_app())
                server = await self._github.server()
        except (github_errors.GitHubError, TimeoutError) as error:
            self.github = _no_answer(f"GitHub at {self._github_api_url}", error)
            return
        await self._save_server(server)

    async def _fetch_app(self) -> AppFacts:
        """The App's facts; raises StartRefused if GitHub refuses the key, and GitHubError."""
        try:
            return await self._github.app()
        except (github_errors.GitHubUnauthorized, github_errors.NotFound) as error:
            sentence = _refused_key(self._github_api_url, error)
        self.github = PlatformState(False, sentence)
        raise StartRefused(sentence)

    async def _save_server(self, server: github_server.ServerFacts) -> None:
        """Store what the server can do; if that has changed, the cards are drawn again."""
        too_old = (
            f"GitHub Enterprise Server {server.version} is not supported, {OLDEST} is the oldest that is"
        )
        if server.is_too_old and self.github.reason != f"answers; {too_old}":
            log.warning("unsupported_server", version=server.version, hint=f"{too_old}: upgrade it")
        self.github = PlatformState(True, f"answers; {too_old}" if server.is_too_old else "answers")
        able = _abilities(server)
        if able == self.server or server.version == github_server.UNKNOWN_VERSION:
            # A server in private mode hides its version: what is known from before stays valid.
            return
        self.server = able
        async with self._db.begin() as tx:
            await saved_values.save(tx, self._server_key, {"version": server.version})
            await jobs.enqueue(tx, new_job(RedrawCards()))

    async def check_again(self) -> None:
        """Wait, then check both again. A refusal is only logged: the process serves already."""
        await self._clock.sleep(CHECK_EVERY if self.slack.ok and self.github.ok else RETRY_AFTER)
        for check in (self.check_slack, self.check_github):
            try:
                await check()
            except StartRefused as error:
                log.error("refused", reason=str(error))
            except StorageUnavailable as error:
                log.error("not_asked", reason=str(error))

    async def is_ours(self, account: GitHubAccount) -> bool:
        """Whether we serve installations on this account; raises RetryLater until GitHub has answered that."""
        ours = self.accounts.is_ours(account)
        if ours is None or (not ours and self.accounts.may_resolve(account)):
            try:
                await self.check_github()
            except StartRefused as error:
                raise RetryLater(self._clock.now() + CHECK_EVERY, str(error)) from None
            ours = self.accounts.is_ours(account)
        if ours is None:
            unknown = "GitHub has not said yet which accounts are ours"
            raise RetryLater(self._clock.now() + RETRY_AFTER, unknown)
        if not ours:
            await self.accounts.compare_login(account, is_current=False)
        return ours

    async def require_workspace(self) -> Workspace:
        """The workspace; raises RetryLater until Slack has answered which it is."""
        if self.workspace is None:
            await self.check_slack()
        if self.workspace is None:
            unknown = "Slack has not said yet which workspace this is"
            raise RetryLater(self._clock.now() + RETRY_AFTER, unknown)
        return self.workspace

    async def person(self, user: str, *, fresh: bool = False) -> PersonFacts:
        """Slack's facts about a person, at most five minutes old, or fetched now if `fresh`; raises SlackError."""
        at, known = self._people.get(user, (0.0, None))
        if known is None or fresh or not 0 <= self._clock.now() - at <= CACHED_FOR:
            known = await self._slack.person(user)
            self._people[user] = (self._clock.now(), known)
        return known

    async def channel(self, channel: ChannelId, *, since: UnixTime) -> ChannelFacts:
        """Slack's facts about a channel, at most five minutes old and fetched after `since`; raises SlackError."""
        at, known = self._channels.get(channel, (0.0, None))
        recent = 0 <= self._clock.now() - at <= CACHED_FOR
        if known is None or not recent or at <= since + CLOCK_LEEWAY:
            known = await self._slack.channel(channel)
            self._channels[channel] = (self._clock.now(), known)
        return known


def _no_answer(server: str, error: Exception) -> PlatformState:
    if isinstance(error, slack_errors.SlackUntrusted | github_errors.GitHubUntrusted):
        return PlatformState(
            False,
            f"{server} has a certificate that is not trusted here ({error.reason}): "
            "put the certificate authority that signed it into a file that SSL_CERT_FILE names",
        )
    reason = str(error) or f"nothing within {ANSWER_WITHIN:.0f} seconds"
    return PlatformState(False, f"{server} does not answer: {reason}")


def _abilities(server: github_server.ServerFacts) -> ServerAbilities:
    return ServerAbilities(
        revokes=server.supports_revoke,
        overrides_validity=server.supports_validity_override,
        assigns=server.supports_assignee,
        knows_pkce=server.supports_pkce,
    )


def _refused_key(api_url: str, error: github_errors.GitHubError) -> str:
    """The cause of a refused key: our clock if it is wrong, otherwise the key itself."""
    reason = f"{error.status}: {error.detail}" if error.detail else f"{error.status}"
    ahead = error.clock_ahead if isinstance(error, github_errors.GitHubUnauthorized) else None
    if ahead is not None and abs(ahead) >= CLOCK_OFF:
        side = "ahead of" if ahead > 0 else "behind"
        return (
            f"GitHub at {api_url} refuses what is signed with GITHUB_APP_PRIVATE_KEY ({reason}): "
            f"the clock of this machine is {abs(ahead):.0f} seconds {side} GitHub's; set it right."
        )
    return (
        f"GitHub at {api_url} refuses GITHUB_APP_ID with GITHUB_APP_PRIVATE_KEY ({reason}): "
        "check that the key belongs to this app and server."
    )
