"""Runs all checks. None of them writes anything; one that can't be made leaves the others alone."""

import asyncio

from bot.flows.doctor.address_checks import check_address
from bot.flows.doctor.channel_checks import check_channels
from bot.flows.doctor.database_checks import check_database, read_stored
from bot.flows.doctor.examined import Examined, StoredFacts
from bot.flows.doctor.github_checks import check_github
from bot.flows.doctor.people_checks import check_people
from bot.flows.doctor.queue_checks import check_queue
from bot.flows.doctor.repository_checks import check_repositories
from bot.flows.doctor.settings_checks import check_settings
from bot.flows.doctor.slack_checks import check_slack
from bot.flows.doctor.webhook_checks import check_webhooks
from bot.rules.check_results import CheckResult, in_order


async def examine(examined: Examined) -> tuple[CheckResult, ...]:
    """The results of all checks, by group."""
    found = await check_database(examined)
    stored = await read_stored(examined.db)
    parts = await asyncio.gather(
        check_settings(examined, stored),
        check_queue(examined, stored),
        _check_slack(examined, stored),
        _check_github(examined, stored),
        check_address(examined, stored),
    )
    return in_order([*found, *(result for part in parts for result in part)])


async def _check_slack(examined: Examined, stored: StoredFacts) -> list[CheckResult]:
    found, answers = await check_slack(examined, stored)
    found += await check_channels(examined, stored, slack_answers=answers)
    return found + await check_people(examined, stored, slack_answers=answers)


async def _check_github(examined: Examined, stored: StoredFacts) -> list[CheckResult]:
    github = await check_github(examined, stored)
    webhooks, repositories = await asyncio.gather(
        check_webhooks(examined, github.app), check_repositories(examined, github.installations)
    )
    return [*github.results, *webhooks, *repositories]
