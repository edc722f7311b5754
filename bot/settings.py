"""Reads the settings from the environment and the options from their file.

Nothing else reads the environment, but for the variables of proxies, which `integrations/proxies.py` reads.
"""

import os
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from dotenv import dotenv_values
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot.errors import StartRefused
from bot.options import SHAPES as OPTION_SHAPES
from bot.options import Options
from bot.setting_faults import Fault, dotted, faults_of, reason
from bot.setting_values import (
    check_database_url,
    check_encryption_keys,
    check_stream,
    http_base,
    public_base,
    read_accounts,
    read_encryption_keys,
    read_key,
    read_operators,
    strip,
    token_prefix,
)

MISSING = {
    "SLACK_BOT_TOKEN": "take the bot token (xoxb-…) from your Slack app's page OAuth & Permissions",
    "GITHUB_APP_ID": "take the App ID from your GitHub App's settings page",
    "GITHUB_APP_PRIVATE_KEY": "generate a private key on your GitHub App's settings page; set it or the path to it",
}
SHAPES = {
    "GITHUB_APP_ID": "it is the number, or the client ID, on your GitHub App's settings page",
    "GITHUB_APP_CLIENT_ID": "it is the client ID, as Iv23li…, on your GitHub App's settings page",
    "STANCH_DEFAULT_CHANNEL": "it is a channel's id, as C012AB3CD, not its name",
}

BotToken = Annotated[SecretStr, token_prefix("xoxb-", "a bot token")]
LowerCase = BeforeValidator(lambda value: value.lower())
ENV_FILE = ".env"
UNREADABLE_FILE = f"{ENV_FILE} can't be read as a text file in UTF-8: correct or remove it."
OLD_SECRETS = {
    "GITHUB_WEBHOOK_SECRET_OLD": "GITHUB_WEBHOOK_SECRET",
    "SLACK_SIGNING_SECRET_OLD": "SLACK_SIGNING_SECRET",
}
"""Secrets that are accepted besides, and the secret that replaces each."""


class SettingsBase(BaseSettings):
    model_config = SettingsConfigDict(
        env_file=ENV_FILE,
        env_file_encoding="utf-8-sig",
        extra="ignore",
        frozen=True,
        env_ignore_empty=True,
        defer_build=True,  # A command uses one or two of these classes.
    )

    @model_validator(mode="before")
    @classmethod
    def _stripped(cls, values: object) -> object:
        """Strip white space from every value, and drop values that are empty then."""
        if not isinstance(values, dict):
            return values
        stripped = {name: strip(value) if isinstance(value, str) else value for name, value in values.items()}
        return {name: value for name, value in stripped.items() if value != ""}


class OptionsFile(SettingsBase):
    """The path of the options file."""

    stanch_config: Path | None = None


class StorageSettings(OptionsFile):
    """The settings of commands that need the database alone."""

    database_url: Annotated[str, AfterValidator(check_database_url)] = "sqlite+aiosqlite:///stanch.db"
    database_url_new: Annotated[str, AfterValidator(check_database_url)] | None = None
    stanch_audit_key: SecretStr | None = None
    stanch_audit_stream: Annotated[str, AfterValidator(check_stream)] | None = None
    stanch_log_level: Annotated[Literal["debug", "info", "warning", "error"], LowerCase] = "info"
    stanch_log_format: Annotated[Literal["json", "text"], LowerCase] = "json"


class KeySettings(StorageSettings):
    """The settings of commands that need the database and the keys of people's tokens."""

    stanch_encryption_keys: Annotated[SecretStr, AfterValidator(check_encryption_keys)] | None = None

    def encryption_keys(self) -> tuple[bytes, ...]:
        """The keys; none if people's tokens are not kept."""
        return read_encryption_keys(self.stanch_encryption_keys) if self.stanch_encryption_keys else ()


class GitHubSettings(KeySettings):
    """The settings of commands that also ask GitHub."""

    github_app_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
    github_app_private_key: Annotated[SecretStr, AfterValidator(read_key)]
    github_accounts: Annotated[frozenset[str], NoDecode, BeforeValidator(read_accounts)] = frozenset()
    github_url: Annotated[str, AfterValidator(http_base)] = "https://github.com"
    github_api_url: Annotated[str, AfterValidator(http_base)] = "https://api.github.com"


class IdentitySettings(GitHubSettings):
    """The settings of commands that link identities: they may also ask Slack for the workspace."""

    slack_bot_token: BotToken | None = None
    slack_api_url: Annotated[str, AfterValidator(lambda url: http_base(url) + "/")] = "https://slack.com/api/"


class Settings(IdentitySettings):
    """The settings of `stanch serve`."""

    slack_bot_token: BotToken
    slack_app_token: Annotated[SecretStr, token_prefix("xapp-", "an app-level token")] | None = None
    slack_signing_secret: Annotated[SecretStr | None, Field(validate_default=True)] = None
    slack_signing_secret_old: SecretStr | None = None
    github_webhook_secret: SecretStr | None = None
    github_webhook_secret_old: SecretStr | None = None
    github_app_client_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")] | None = None
    github_app_client_secret: Annotated[SecretStr | None, Field(validate_default=True)] = None
    stanch_public_url: Annotated[str, AfterValidator(public_base)] | None = None
    stanch_operators: Annotated[frozenset[str], NoDecode, BeforeValidator(read_operators)] = frozenset()
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 3000
    stanch_default_channel: Annotated[str, Field(pattern=r"^[CG][A-Z0-9]{2,20}$")] | None = None
    stanch_sync_interval: Annotated[int, Field(ge=0, le=7 * 86400)] = 900

    @field_validator("slack_signing_secret")
    @classmethod
    def _signing_secret(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        # A malformed SLACK_APP_TOKEN is not in `data`; it has a fault of its own.
        if value is None and info.data.get("slack_app_token", ...) is None:
            raise ValueError(
                "is not set: it verifies Slack's requests; or set SLACK_APP_TOKEN for Socket Mode"
            )
        return value

    @field_validator("github_app_client_secret")
    @classmethod
    def _client_secret(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if "github_app_client_id" not in info.data:
            return value  # It is malformed, and has a fault of its own.
        has_id = info.data["github_app_client_id"] is not None
        if has_id and value is None:
            raise ValueError("is not set: people can't sign in with GITHUB_APP_CLIENT_ID alone")
        if not has_id and value is not None:
            raise ValueError("is set without GITHUB_APP_CLIENT_ID: set both, or none")
        return value


S = TypeVar("S", bound=SettingsBase)
T = TypeVar("T", bound=StorageSettings)


def load_settings(kind: type[S]) -> S:
    """Read the environment and `.env` into one of the classes above.

    Raises StartRefused with a line for each missing or malformed setting, which names it and never quotes its value.
    """
    try:
        return kind()
    except ValidationError as error:
        raise StartRefused("\n".join(faults_of(error, _setting_fault))) from None
    except (OSError, UnicodeDecodeError):
        raise StartRefused(UNREADABLE_FILE) from None


def load_all(kind: type[T]) -> tuple[T, Options]:
    """Settings and options; raises StartRefused with the faults of both."""
    faults: list[str] = []
    settings, options = None, None
    try:
        settings = load_settings(kind)
    except StartRefused as refused:
        faults += str(refused).splitlines()
    try:
        options = load_options(load_settings(OptionsFile))
    except StartRefused as refused:
        faults += str(refused).splitlines()
    if settings is not None and options is not None:
        faults += _contradictions(settings, options)
    if issubclass(kind, Settings):
        faults += _empty_old_secrets()
    if settings is None or options is None or faults:
        raise StartRefused("\n".join(dict.fromkeys(faults)))
    return settings, options


def _contradictions(settings: StorageSettings, options: Options) -> Iterator[str]:
    """A sentence for each setting without another one that it needs, and each option that needs a setting."""
    if not isinstance(settings, Settings):
        return
    for old, new in OLD_SECRETS.items():
        if getattr(settings, old.lower()) is not None and getattr(settings, new.lower()) is None:
            yield f"{old} is set without {new}: set {new} to the secret that replaces it."
    if options.github.act_as != "user":
        return
    for name in ("stanch_encryption_keys", "github_app_client_id", "stanch_public_url"):
        if getattr(settings, name) is None:
            yield f'{name.upper()} is not set: github.act_as = "user" needs it; set it, or choose "user_or_app".'


def _empty_old_secrets() -> Iterator[str]:
    """A sentence for each old secret that is empty.

    It is not dropped like other settings: it looks like a rotation that is set up, and is none.
    """
    try:
        values = variables()
    except (OSError, UnicodeDecodeError):
        return  # `.env` has a fault of its own.
    for name in OLD_SECRETS:
        if name in values and not strip(values[name]):
            yield f"{name} is empty: set it to the secret that is being replaced, or remove it."


def load_options(settings: OptionsFile) -> Options:
    """Read the file of `STANCH_CONFIG`, or `stanch.toml` if it exists.

    Raises StartRefused with a line for each fault, which names the file and the key.
    """
    path = settings.stanch_config or Path("stanch.toml")
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        if settings.stanch_config is None:
            return Options()
        raise StartRefused(
            f"STANCH_CONFIG names {path}, which does not exist: correct the path or unset it."
        ) from None
    except OSError as error:
        raise StartRefused(f"{path} can't be read: {error.strerror}.") from None
    except ValueError as error:
        raise StartRefused(f"{path} can't be read as TOML: {error}.") from None
    try:
        return Options.model_validate(content)
    except ValidationError as error:
        raise StartRefused("\n".join(faults_of(error, lambda fault: _option_fault(path, fault)))) from None


def variables() -> dict[str, str]:
    """Every variable of the environment and of `.env`, in capitals; those of the environment win."""
    written = {
        name.upper(): value or "" for name, value in dotenv_values(ENV_FILE, encoding="utf-8-sig").items()
    }
    return written | environment()


def environment() -> dict[str, str]:
    """Every variable of the environment alone, in capitals."""
    return {name.upper(): value for name, value in os.environ.items()}


def only_in_file() -> frozenset[str]:
    """The names of variables that `.env` has and the environment has not, in capitals."""
    return frozenset(map(str.upper, dotenv_values(ENV_FILE, encoding="utf-8-sig"))) - frozenset(
        map(str.upper, os.environ)
    )


def _setting_fault(fault: Fault) -> str:
    name = str(fault["loc"][0]).upper()
    if fault["type"] == "missing":
        return f"{name} is not set: {MISSING.get(name, f'set it in the environment or in {ENV_FILE}')}."
    if fault["type"] == "string_pattern_mismatch":
        return f"{name} does not look right: {SHAPES.get(name, 'it has characters that are not allowed')}."
    return f"{name} {reason(fault)}."


def _option_fault(path: Path, fault: Fault) -> str:
    key = dotted(fault["loc"])
    if fault["type"] == "extra_forbidden":
        return f"{path} has an unknown key {key}: remove it or correct its spelling."
    if fault["type"] == "string_pattern_mismatch":
        return f"{path}: {key} {OPTION_SHAPES.get(str(fault['loc'][-1]), 'has characters that are not allowed')}."
    return f"{path}: {key} {reason(fault)}."
