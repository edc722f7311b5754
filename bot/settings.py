"""The only reader of the environment and of the options file."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import (
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from bot.errors import StartRefused
from bot.options import Options

MISSING = {
    "SLACK_BOT_TOKEN": "take the bot token (xoxb-…) from your Slack app's page OAuth & Permissions",
    "GITHUB_APP_ID": "take the App ID from your GitHub App's settings page",
    "GITHUB_APP_PRIVATE_KEY": "make a private key on your GitHub App's settings page and give it, or the path to it",
}
SHAPES = {
    "GITHUB_APP_ID": "it is the number, or the client ID, on your GitHub App's settings page",
    "STANCH_DEFAULT_CHANNEL": "it is a channel's id, as C012AB3CD, not its name",
}
DRIVERS = ("sqlite+aiosqlite://", "postgresql+asyncpg://")


class _Environment(BaseSettings):
    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True, env_ignore_empty=True)


class StorageSettings(_Environment):
    """What the commands need that touch the database alone."""

    database_url: str = "sqlite+aiosqlite:///stanch.db"
    stanch_audit_key: SecretStr | None = None
    stanch_log_level: Literal["debug", "info", "warning", "error"] = "info"
    stanch_log_format: Literal["json", "text"] = "json"
    stanch_config: Path | None = None

    @field_validator("database_url")
    @classmethod
    def _known_driver(cls, value: str) -> str:
        if not value.startswith(DRIVERS):
            raise ValueError(f"must start with {' or '.join(DRIVERS)}")
        try:
            make_url(value)
        except (ArgumentError, ValueError):
            raise ValueError("is not a database address: check its host, port and slashes") from None
        return value

    @field_validator("stanch_log_level", "stanch_log_format", mode="before")
    @classmethod
    def _lower(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value


class GitHubSettings(StorageSettings):
    """What the commands need that also ask GitHub."""

    github_app_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
    github_app_private_key: SecretStr
    github_accounts: Annotated[frozenset[str], NoDecode] = frozenset()
    github_url: str = "https://github.com"
    github_api_url: str = "https://api.github.com"

    @field_validator("github_accounts", mode="before")
    @classmethod
    def _logins(cls, value: object) -> object:
        if isinstance(value, str):
            return frozenset(login.strip().lower() for login in value.split(",") if login.strip())
        return value

    @field_validator("github_url", "github_api_url")
    @classmethod
    def _base(cls, value: str) -> str:
        return _http_base(value).rstrip("/")

    @field_validator("github_app_private_key")
    @classmethod
    def _pem(cls, value: SecretStr) -> SecretStr:
        """Take the key itself, its line ends real or written out, or the path of a file that holds it."""
        text = value.get_secret_value()
        if "-----BEGIN" not in text:
            try:
                text = Path(text).expanduser().read_text(encoding="utf-8")
            except (OSError, ValueError):
                raise ValueError(
                    "is neither a PEM private key nor the path of a readable file with one"
                ) from None
        text = text.replace("\\n", "\n").strip() + "\n"
        try:
            key = load_pem_private_key(text.encode(), password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise ValueError("does not hold a valid PEM private key without a passphrase") from None
        if not isinstance(key, RSAPrivateKey):
            raise ValueError("does not hold an RSA key, as GitHub makes them for Apps")
        return SecretStr(text)


class Settings(GitHubSettings):
    """Everything `stanch serve` needs."""

    slack_bot_token: SecretStr
    slack_signing_secret: SecretStr | None = None
    slack_app_token: SecretStr | None = None
    slack_api_url: str = "https://slack.com/api/"
    github_webhook_secret: SecretStr | None = None
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 3000
    stanch_default_channel: Annotated[str, Field(pattern=r"^[CG][A-Z0-9]{2,20}$")] | None = None
    stanch_sync_interval: Annotated[int, Field(ge=0, le=7 * 86400)] = 900

    @field_validator("slack_api_url")
    @classmethod
    def _slack_base(cls, value: str) -> str:
        return _http_base(value).rstrip("/") + "/"

    @field_validator("slack_bot_token")
    @classmethod
    def _bot_token(cls, value: SecretStr) -> SecretStr:
        if not value.get_secret_value().startswith("xoxb-"):
            raise ValueError("must be a bot token, which starts with xoxb-")
        return value

    @field_validator("slack_app_token")
    @classmethod
    def _app_token(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith("xapp-"):
            raise ValueError("must be an app-level token, which starts with xapp-")
        return value

    @model_validator(mode="after")
    def _hears_slack(self) -> "Settings":
        if self.slack_signing_secret is None and self.slack_app_token is None:
            raise ValueError(
                "SLACK_SIGNING_SECRET is not set: Slack's clicks need it, or SLACK_APP_TOKEN for Socket Mode"
            )
        return self


def _http_base(value: str) -> str:
    """An address that calls start from. Who asks stands in headers, never in the address."""
    fault = ValueError("must be an http(s) address without user, query or fragment")
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        raise fault from None
    if not usable or parts.username is not None or parts.query or parts.fragment:
        raise fault
    return value


S = TypeVar("S", bound=StorageSettings)


def load_settings(kind: type[S]) -> S:
    """Read the environment (and `.env`) into one of the settings above.

    Raises StartRefused with one sentence that names the first setting that is missing or malformed, never its value.
    """
    try:
        return kind()
    except ValidationError as error:
        raise StartRefused(_first_fault(error)) from None
    except (OSError, UnicodeDecodeError):
        raise StartRefused(".env can't be read as a text file in UTF-8: correct or remove it.") from None


def load_options(settings: StorageSettings) -> Options:
    """Read `STANCH_CONFIG`, or `stanch.toml` where it exists; raises StartRefused naming the file and the key."""
    path = settings.stanch_config or Path("stanch.toml")
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if settings.stanch_config is None:
            return Options()
        raise StartRefused(
            f"STANCH_CONFIG names {path}, which does not exist: correct the path or unset it."
        ) from None
    except (OSError, ValueError) as error:
        raise StartRefused(f"{path} can't be read as TOML: {error}.") from None
    try:
        return Options.model_validate(content)
    except ValidationError as error:
        first: Mapping[str, Any] = error.errors(include_input=False, include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            raise StartRefused(
                f"{path} has an unknown key {key}: remove it or correct its spelling."
            ) from None
        raise StartRefused(f"{path}: {key} {_reason(first)}.") from None


def _first_fault(error: ValidationError) -> str:
    """One sentence for the first fault. Inputs are left out: they may be secrets."""
    first: Mapping[str, Any] = error.errors(include_input=False, include_url=False, include_context=True)[0]
    if not first["loc"]:
        return f"{first['ctx']['error']}."
    name = str(first["loc"][0]).upper()
    if first["type"] == "missing":
        return f"{name} is not set: {MISSING.get(name, 'set it in the environment or in .env')}."
    if first["type"] == "string_pattern_mismatch":
        return f"{name} does not look right: {SHAPES.get(name, 'it has characters that can not be in it')}."
    return f"{name} {_reason(first)}."


def _reason(fault: Mapping[str, Any]) -> str:
    """What is wrong, to follow the setting's name. Pydantic's own words are "Input should be a valid integer, …"."""
    words = str(fault["ctx"]["error"]) if fault["type"] == "value_error" else str(fault["msg"])
    words = words.replace("Input should be", "must be", 1).replace("a valid dictionary", "a table")
    words = words.partition(", unable to")[0].partition(" or instance of")[0]
    return words[0].lower() + words[1:]
