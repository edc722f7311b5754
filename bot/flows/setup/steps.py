"""Lists the steps of the set-up in their order."""

from bot.flows.setup.account import ACCOUNT
from bot.flows.setup.github_app import GITHUB_APP
from bot.flows.setup.installation import INSTALLATION
from bot.flows.setup.step import SetupStep

STEPS: tuple[SetupStep, ...] = (ACCOUNT, GITHUB_APP, INSTALLATION)
