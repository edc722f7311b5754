"""What Slack and GitHub say about ourselves: asked at the start, and again until they answer."""

import asyncio
from dataclasses import dataclass

import structlog

from bot.errors import RetryLater, StartRefused
from bot.job_kinds import RedrawCards
from bot.job_rows import new_job
from bot.our_accounts import OurAccounts
from bot.rules.permissions import Workspace
from bot.rules.report_eligibility import ServerAbilities
from integrations.github import errors as github_errors
from integrations.github import server_features as github_server
from integrations.github.accounts import GitHubAccount
from integrations.github.api import AppFacts, GitHub
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
"""Seconds between our clock and GitHub's from which on the clock is named where GitHub refuses the key.

A JWT of ours is issued a minute in the past, so that half of that is borne.
"""
REMEMBERED = 300.0
"""Seconds for which a person's or a channel's Slack facts are used again."""
FIRST_ANSWER = 10.0
"""Seconds that the start, or whoever asks again, waits for Slack or GitHub to say who we are."""
ASK_AGAIN = 10.0
"""Seconds between two tries while one of the two does not answer."""
OLDEST = ".".join(map(str, github_server.OLDEST))
LOOK_AGAIN = 60.0
"""Seconds between two looks whether both still answer."""


@dataclass(frozen=True, slots=True)
class PlatformState:
    """How one of the two servers stands towards us."""

    ok: bool
    reason: str


NOT_ASKED = PlatformState(ok=False, reason="not asked yet")


class Platforms:
    """The bot's own place in Slack and GitHub, and a short memory of people and channels."""

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
        self._server_mark = f"server:{github_api_url}"
        self._people: dict[str, tuple[UnixTime, PersonFacts]] = {}
        self._channels: dict[str, tuple[UnixTime, ChannelFacts]] = {}
        self.home: Workspace | None = None
        known = github_server.server_by_host(github_api_url)
        self.server = _abilities(known) if known else ServerAbilities()
        """What GitHub can do; nothing of it while that is not known."""
        self.slack = NOT_ASKED
        self.socket: PlatformState | None = None
        """How the Socket Mode connection stands; None without Socket Mode."""
        self.github = NOT_ASKED

    async def ask_slack(self) -> None:
        """Learn which workspace this is; raises StartRefused when Slack definitely refuses the token."""
        try:
            async with asyncio.timeout(FIRST_ANSWER):
                bot = await self._slack.whoami()
        except slack_errors.SlackUnauthorized as error:
            self.slack = PlatformState(False, f"Slack refuses the bot token: {error.code}")
            raise StartRefused(
                f"Slack at {self._slack.client.base_url} refuses SLACK_BOT_TOKEN ({error.code}): "
                "take the current bot token from the app's page OAuth & Permissions."
            ) from None
        except slack_errors.SlackUntrusted as error:
            self.slack = _untrusted(f"Slack at {self._slack.client.base_url}", error.reason)
            return
        except (slack_errors.SlackError, TimeoutError) as error:
            reason = str(error) or f"nothing within {FIRST_ANSWER:.0f} seconds"
            self.slack = PlatformState(
                False, f"Slack at {self._slack.client.base_url} does not answer: {reason}"
            )
            return
        self.home = Workspace(bot.team_id, bot.enterprise_id)
        self.slack = PlatformState(True, "answers")

    async def recall(self) -> None:
        """Read what was known of GitHub before this start, until it answers; raises StorageUnavailable."""
        await self.accounts.recall()
        async with self._db.read() as tx:
            known = await saved_values.load(tx, self._server_mark)
        if self.server == ServerAbilities() and isinstance(known, dict):
            version = known.get("version")
            self.server = _abilities(github_server.ServerFacts(version if isinstance(version, str) else None))

    async def ask_github(self) -> None:
        """Learn whose app this is and what the server can do.

        Raises StartRefused where GitHub refuses the key or GITHUB_ACCOUNTS does not tell which account it means, and
        StorageUnavailable.
        """
        await self.recall()
        try:
            async with asyncio.timeout(FIRST_ANSWER):
                await self.accounts.ask(await self._ask_app())
                server = await self._github.server()
        except github_errors.GitHubUntrusted as error:
            self.github = _untrusted(f"GitHub at {self._github_api_url}", error.reason)
            return
        except (github_errors.GitHubError, TimeoutError) as error:
            reason = str(error) or f"nothing within {FIRST_ANSWER:.0f} seconds"
            self.github = PlatformState(False, f"GitHub at {self._github_api_url} does not answer: {reason}")
            return
        await self._learn_server(server)

    async def _ask_app(self) -> AppFacts:
        """Whose App this is; raises StartRefused where GitHub does not take the key, and GitHubError."""
        try:
            return await self._github.app()
        except (github_errors.GitHubUnauthorized, github_errors.NotFound) as error:
            sentence = _refused_key(self._github_api_url, error)
        self.github = PlatformState(False, sentence)
        raise StartRefused(sentence)

    async def _learn_server(self, server: github_server.ServerFacts) -> None:
        """Keep what the server can do, and have cards drawn again that showed less or more."""
        too_old = (
            f"GitHub Enterprise Server {server.version} is not supported, {OLDEST} is the oldest that is"
        )
        if server.is_too_old and self.github.reason != f"answers; {too_old}":
            log.warning("unsupported_server", version=server.version, hint=f"{too_old}: upgrade it")
        self.github = PlatformState(True, f"answers; {too_old}" if server.is_too_old else "answers")
        able = _abilities(server)
        if able == self.server or server.version == github_server.UNKNOWN_VERSION:
            # A server in private mode does not tell its release; what it told before holds.
            return
        self.server = able
        async with self._db.begin() as tx:
            await saved_values.save(tx, self._server_mark, {"version": server.version})
            await jobs.enqueue(tx, new_job(RedrawCards()))

    async def ask_again(self) -> None:
        """Ask both again how they stand, after a while; a refusal now is logged, since we serve already."""
        await self._clock.sleep(LOOK_AGAIN if self.slack.ok and self.github.ok else ASK_AGAIN)
        for ask in (self.ask_slack, self.ask_github):
            try:
                await ask()
            except StartRefused as error:
                log.error("refused", reason=str(error))
            except StorageUnavailable as error:
                log.error("not_asked", reason=str(error))

    async def counts(self, account: GitHubAccount) -> bool:
        """Whether installations on this account are ours to serve; raises RetryLater while GitHub has to be asked."""
        counts = self.accounts.counts(account)
        if counts is None or (not counts and self.accounts.is_awaited(account)):
            try:
                await self.ask_github()
            except StartRefused as error:
                raise RetryLater(self._clock.now() + LOOK_AGAIN, str(error)) from None
            counts = self.accounts.counts(account)
        if counts is None:
            raise RetryLater(self._clock.now() + ASK_AGAIN, "GitHub has not said yet which accounts count")
        if not counts:
            await self.accounts.note(account, is_current=False)
        return counts

    async def our_workspace(self) -> Workspace:
        """The workspace; raises RetryLater while Slack has not told it."""
        if self.home is None:
            await self.ask_slack()
        if self.home is None:
            raise RetryLater(self._clock.now() + ASK_AGAIN, "Slack has not said yet which workspace this is")
        return self.home

    async def person(self, user: str, *, fresh: bool = False) -> PersonFacts:
        """Slack's facts about somebody, asked now or at most five minutes old; raises SlackError."""
        at, known = self._people.get(user, (0.0, None))
        if known is None or fresh or not 0 <= self._clock.now() - at <= REMEMBERED:
            known = await self._slack.person(user)
            self._people[user] = (self._clock.now(), known)
        return known

    async def channel(self, channel: ChannelId, *, since: UnixTime) -> ChannelFacts:
        """Slack's facts about a channel, at most five minutes old and asked after `since`; raises SlackError."""
        at, known = self._channels.get(channel, (0.0, None))
        recent = 0 <= self._clock.now() - at <= REMEMBERED
        if known is None or not recent or at <= since + CLOCK_LEEWAY:
            known = await self._slack.channel(channel)
            self._channels[channel] = (self._clock.now(), known)
        return known


def _untrusted(server: str, reason: str) -> PlatformState:
    return PlatformState(
        False,
        f"{server} has a certificate that is not trusted here ({reason}): "
        "put the certificate authority that signed it into a file that SSL_CERT_FILE names",
    )


def _abilities(server: github_server.ServerFacts) -> ServerAbilities:
    return ServerAbilities(
        revokes=server.supports_revoke,
        overrides_validity=server.supports_validity_override,
        assigns=server.supports_assignee,
    )


def _refused_key(api_url: str, error: github_errors.GitHubError) -> str:
    """What is wrong: the clock, where it differs from GitHub's by more than a JWT bears, else the key."""
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
