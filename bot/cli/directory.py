"""`stanch identities sync`: reads the organization's directory now, and says what it found about whom."""

import asyncio

from bot.app import build_context, open_session
from bot.cli.console import say
from bot.database import open_database
from bot.errors import RetryLater, StartRefused
from bot.flows.people.directory import DirectoryRefused, sync_directory
from bot.options import Options
from bot.rules.directory_match import Finding, Plan, Result
from bot.settings import Settings, load_all
from integrations.github.errors import GitHubError
from integrations.slack.errors import SlackError
from storage.clock import Clock
from storage.records import Suspension

REASONS = {
    "guest": "a guest",
    "no_address": "Slack shows no address",
    "not_an_address": "the address is not a plain one",
    "other_domain": "the address is in no domain of directory.domains",
    "not_confirmed": "Slack does not call the address confirmed",
    "no_account": "the directory has no account with this address",
    "several_accounts": "several accounts have this address",
    "several_people": "several people in Slack have, or had, an address of this account",
    Suspension.DIRECTORY_CHANGED: "the address changed; decide by stanch identities add or remove",
    Suspension.AMBIGUOUS: "there is a second candidate; decide by stanch identities add or remove",
    Suspension.UNLINKED: "unlinked by hand; stanch identities add links again",
}


def sync_identities(*, even_if_many: bool) -> None:
    """Print a line for each person, and how many there are with each result."""
    settings, options = load_all(Settings)
    for line in report(asyncio.run(run_directory(settings, options, even_if_many=even_if_many))):
        say(line)


def report(plan: Plan) -> list[str]:
    """A line for each person: result, Slack user, GitHub login and id, and the reason; then how many of each."""
    lines = [_line(finding) for result in Result for finding in plan.findings if finding.result is result]
    return [*lines, ", ".join(f"{plan.count(result)} {result.value}" for result in Result) + "."]


async def run_directory(settings: Settings, options: Options, *, even_if_many: bool) -> Plan:
    """Read the directory and store what changes; raises StartRefused, StorageUnavailable."""
    async with open_database(settings) as db, open_session() as session:
        context = build_context(settings, options, db, session, Clock())
        try:
            await context.platforms.check_github()
            plan = await sync_directory(context, even_if_many=even_if_many)
        except DirectoryRefused as refused:
            raise StartRefused(str(refused)) from None
        except (GitHubError, SlackError) as error:
            sentence = str(error).rstrip(".")
            raise StartRefused(
                f"The directory could not be read, so nothing was changed: {sentence}."
            ) from None
        except RetryLater as error:
            raise StartRefused(f"The directory could not be read: {error.reason}.") from None
    if plan is None:
        raise StartRefused(
            "directory.source is off, so nobody is linked by the directory: "
            'set source = "auto" and domains in the table [directory] of the options.'
        )
    return plan


def _line(finding: Finding) -> str:
    account = finding.account
    named = (account.login, str(account.id)) if account else ("-", "-")
    reason = REASONS.get(finding.reason, finding.reason) if finding.reason else ""
    return "\t".join((finding.result.value, finding.user, *named, reason)).rstrip()
