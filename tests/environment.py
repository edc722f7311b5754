"""The environment of a bot between the two stand-ins."""

from integrations.sandbox.github import GitHubSandbox
from integrations.sandbox.slack import SlackSandbox

AUDIT_KEY = "a long key of the audit log, for tests"


def bot_environment(slack: SlackSandbox, github: GitHubSandbox, database_url: str) -> dict[str, str]:
    """The settings without which a bot does not start, Slack's over HTTP, and a key of the audit log."""
    return {
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_SIGNING_SECRET": slack.signing_secret,
        "SLACK_API_URL": slack.api_url,
        "GITHUB_APP_ID": str(github.app_id),
        "GITHUB_APP_PRIVATE_KEY": github.private_key,
        "GITHUB_WEBHOOK_SECRET": github.webhook_secret,
        "GITHUB_URL": github.url,
        "GITHUB_API_URL": github.api_url,
        "DATABASE_URL": database_url,
        "STANCH_AUDIT_KEY": AUDIT_KEY,
    }
