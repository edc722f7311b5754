"""Lists the steps of the set-up in their order."""

from bot.flows.setup.account import ACCOUNT
from bot.flows.setup.channel import CHANNEL
from bot.flows.setup.github_app import GITHUB_APP
from bot.flows.setup.installation import INSTALLATION
from bot.flows.setup.person import PERSON
from bot.flows.setup.slack_app import SLACK_APP
from bot.flows.setup.slack_connection import SLACK_CONNECTION
from bot.flows.setup.step import SetupStep
from bot.flows.setup.test_card import TEST_CARD

STEPS: tuple[SetupStep, ...] = (
    ACCOUNT,
    GITHUB_APP,
    INSTALLATION,
    SLACK_APP,
    SLACK_CONNECTION,
    CHANNEL,
    PERSON,
    TEST_CARD,
)
