"""Settings that the doctor reads while others are missing or malformed."""

from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from bot.setting_values import http_base, public_base, token_prefix
from bot.settings import BotToken, SettingsBase, StorageSettings


class SlackSettings(SettingsBase):
    """What it takes to ask Slack."""

    slack_bot_token: BotToken
    slack_app_token: Annotated[SecretStr, token_prefix("xapp-", "an app-level token")] | None = None
    slack_api_url: Annotated[str, AfterValidator(lambda url: http_base(url) + "/")] = "https://slack.com/api/"


class AddressSettings(StorageSettings):
    """Every setting that names a server, and those that decide which way requests come; none is required."""

    slack_app_token: SecretStr | None = None
    slack_signing_secret: SecretStr | None = None
    slack_api_url: Annotated[str, AfterValidator(http_base)] = "https://slack.com/api"
    github_url: Annotated[str, AfterValidator(http_base)] = "https://github.com"
    github_api_url: Annotated[str, AfterValidator(http_base)] = "https://api.github.com"
    github_webhook_secret: SecretStr | None = None
    github_app_client_id: str | None = None
    stanch_public_url: Annotated[str, AfterValidator(public_base)] | None = None
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 3000
