"""What Slack and GitHub say about ourselves: asked at the start, and again until they answer."""

import asyncio
from dataclasses import dataclass

import structlog

from bot.errors import RetryLater, StartRefused
from bot.rules.eligibility import Server
from bot.rules.permissions import Home
from integrations.github import errors as github_errors
from integrations.github.api import GitHub
from integrations.github.json_values import GitHubAccount
from integrations.slack import errors as slack_errors
from integrations.slack.api import Slack
from integrations.slack.facts import ChannelFacts, PersonFacts
from storage.clock import Clock
from storage.records import ChannelId, UnixTime

log = structlog.get_logger(__name__)
CLOCK_LEEWAY = 5.0
"""Seconds by which the clocks of two machines may differ."""
REMEMBERED = 300.0
"""Seconds for which a person's or a channel's Slack facts are used again."""
FIRST_ANSWER = 10.0
"""Seconds that the start, or whoever asks again, waits for Slack or GitHub to say who we are."""
ASK_AGAIN = 10.0
"""Seconds between two tries while one of the two does not answer."""
LOOK_AGAIN = 60.0
"""Seconds between two looks whether both still answer."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How one of the two servers stands towards us."""

    ok: bool
    reason: str


NOT_ASKED = Standing(ok=False, reason="not asked yet")


class Surroundings:
    """The bot's own place in Slack and GitHub, and a short memory of people and channels."""

    def __init__(
        self, slack: Slack, github: GitHub, clock: Clock, *, accounts: frozenset[str], github_api_url: str
    ) -> None:
        self._slack = slack
        self._github_api_url = github_api_url
        self._github = github
        self._clock = clock
        self._accounts = accounts
        """Lower-case logins whose installations count; empty means the app's owner alone."""
        self._owner: GitHubAccount | None = None
        self._people: dict[str, tuple[UnixTime, PersonFacts]] = {}
        self._channels: dict[str, tuple[UnixTime, ChannelFacts]] = {}
        self.home: Home | None = None
        self.server = Server()
        self.slack = NOT_ASKED
        self.socket: Standing | None = None
        """How the Socket Mode connection stands; None without Socket Mode."""
        self.github = NOT_ASKED

    async def ask_slack(self) -> None:
        """Learn which workspace this is; raises StartRefused when Slack definitely refuses the token."""
        try:
            async with asyncio.timeout(FIRST_ANSWER):
                bot = await self._slack.whoami()
        except slack_errors.Unauthorized as error:
            self.slack = Standing(False, f"Slack refuses the bot token: {error.code}")
            raise StartRefused(
                f"Slack at {self._slack.client.base_url} refuses SLACK_BOT_TOKEN ({error.code}): "
                "take the current bot token from the app's page OAuth & Permissions."
            ) from None
        except (slack_errors.SlackError, TimeoutError) as error:
            reason = str(error) or f"nothing within {FIRST_ANSWER:.0f} seconds"
            self.slack = Standing(False, f"Slack at {self._slack.client.base_url} does not answer: {reason}")
            return
        self.home = Home(bot.team_id, bot.enterprise_id)
        self.slack = Standing(True, "answers")

    async def ask_github(self) -> None:
        """Learn whose app this is and what the server can do; raises StartRefused when GitHub refuses the key."""
        try:
            async with asyncio.timeout(FIRST_ANSWER):
                app = await self._github.app()
                server = await self._github.server()
        except (github_errors.Unauthorized, github_errors.NotFound) as error:
            self.github = Standing(False, f"GitHub refuses the app's key: {error}")
            raise StartRefused(
                f"GitHub at {self._github_api_url} refuses GITHUB_APP_ID with GITHUB_APP_PRIVATE_KEY "
                f"({error.status}): check that the key belongs to this app and server."
            ) from None
        except (github_errors.GitHubError, TimeoutError) as error:
            reason = str(error) or f"nothing within {FIRST_ANSWER:.0f} seconds"
            self.github = Standing(False, f"GitHub at {self._github_api_url} does not answer: {reason}")
            return
        self._owner = app.owner
        self.server = Server(
            revokes=server.supports_revoke,
            overrides_validity=server.supports_validity_override,
            assigns=server.supports_assignee,
        )
        self.github = Standing(True, "answers")

    async def keep_asking(self) -> None:
        """Ask both again how they stand, until cancelled; a refusal now is logged, since we serve already."""
        while True:
            await self._clock.sleep(LOOK_AGAIN if self.slack.ok and self.github.ok else ASK_AGAIN)
            for ask in (self.ask_slack, self.ask_github):
                try:
                    await ask()
                except StartRefused as error:
                    log.error("refused", reason=str(error))
                except Exception as error:
                    # Whatever one answer held, the next one is asked for.
                    log.error("asking_stumbled", exc_info=error)

    async def counts(self, account: GitHubAccount) -> bool:
        """Whether installations on this account are ours to serve."""
        if self._accounts:
            return account.login.lower() in self._accounts
        if self._owner is None:
            await self.ask_github()
        if self._owner is None:
            raise RetryLater(self._clock.now() + ASK_AGAIN, "GitHub has not said yet whose app this is")
        return account.id == self._owner.id

    async def our_home(self) -> Home:
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
