"""Settings and options: each missing or malformed one is named in one sentence that never shows its value."""

import base64
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from bot.errors import StartRefused
from bot.options import RESOLUTIONS, Options
from bot.setting_warnings import missing_settings, questionable_settings
from bot.settings import (
    MISSING,
    GitHubSettings,
    KeySettings,
    Settings,
    StorageSettings,
    load_all,
    load_options,
    load_settings,
)

MARK = "Plantedd9f3aMark"
"""A part of every secret that these tests set; no sentence may show it."""
BOT_TOKEN, APP_TOKEN = f"xoxb-1-{MARK}", f"xapp-1-{MARK}"
REQUIRED = ("SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "GITHUB_APP_ID", "GITHUB_APP_PRIVATE_KEY")
KEYS = tuple(base64.urlsafe_b64encode(bytes(range(n, n + 32))).decode().rstrip("=") for n in (1, 2))
Setting = Callable[..., None]


@pytest.fixture(scope="module")
def pem() -> str:
    """A private key as GitHub generates it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An empty working directory, and none of our variables from outside."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def with_env(monkeypatch: pytest.MonkeyPatch, pem: str) -> Setting:
    """Set what `serve` needs, with changes: `with_env(PORT="80", SLACK_BOT_TOKEN=None)`."""

    def set_all(**variables: str | None) -> None:
        needed = {
            "SLACK_BOT_TOKEN": BOT_TOKEN,
            "SLACK_SIGNING_SECRET": MARK,
            "GITHUB_APP_ID": "12345",
            "GITHUB_APP_PRIVATE_KEY": pem,
        }
        for name, value in {**needed, **variables}.items():
            if value is not None:
                monkeypatch.setenv(name, value)

    return set_all


def refusals(kind: type[StorageSettings] = Settings) -> list[str]:
    """The sentences that end the start; none shows a value."""
    with pytest.raises(StartRefused) as refused:
        load_all(kind)
    sentences = str(refused.value).splitlines()
    for sentence in sentences:
        assert MARK not in sentence
        assert "PRIVATE KEY" not in sentence
        assert sentence.endswith(".")
    assert refused.value.__cause__ is None
    return sentences


def refusal(kind: type[StorageSettings] = Settings) -> str:
    """The one sentence that ends the start."""
    [sentence] = refusals(kind)
    return sentence


def test_settings_that_are_not_required_have_defaults(with_env: Setting) -> None:
    with_env()
    settings = load_settings(Settings)
    assert (settings.host, settings.port, settings.stanch_sync_interval) == ("127.0.0.1", 3000, 900)
    assert settings.github_api_url == "https://api.github.com"
    assert settings.slack_api_url == "https://slack.com/api/"
    assert settings.database_url == "sqlite+aiosqlite:///stanch.db"
    assert (settings.stanch_log_level, settings.stanch_log_format) == ("info", "json")
    assert settings.stanch_default_channel is None
    assert load_options(settings) == Options()


def test_secrets_are_read_and_not_shown_by_repr(with_env: Setting) -> None:
    with_env(GITHUB_WEBHOOK_SECRET=MARK, STANCH_AUDIT_KEY=MARK, SLACK_APP_TOKEN=APP_TOKEN)
    settings = load_settings(Settings)
    assert settings.github_webhook_secret is not None
    assert settings.github_webhook_secret.get_secret_value() == MARK
    assert MARK not in repr(settings)
    assert MARK not in str(settings)
    assert "BEGIN" not in repr(settings)


@pytest.mark.parametrize("name", REQUIRED)
@pytest.mark.parametrize("value", [None, ""])
def test_a_required_setting_that_is_missing_or_empty_is_named(
    with_env: Setting, monkeypatch: pytest.MonkeyPatch, name: str, value: str | None
) -> None:
    with_env(**{name: value})
    assert refusal().startswith(f"{name} is not set: ")


def test_with_socket_mode_no_signing_secret_is_needed(with_env: Setting) -> None:
    with_env(SLACK_SIGNING_SECRET=None, SLACK_APP_TOKEN=APP_TOKEN)
    assert load_settings(Settings).slack_signing_secret is None


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("SLACK_BOT_TOKEN", f"xoxp-1-{MARK}", "must be a bot token, which starts with xoxb-"),
        ("SLACK_APP_TOKEN", BOT_TOKEN, "must be an app-level token, which starts with xapp-"),
        ("SLACK_API_URL", f"slack.com/{MARK}", "must be an http(s) address without user, query or fragment"),
        ("SLACK_API_URL", f"https://me:{MARK}@slack.com", "must be an http(s) address without user"),
        ("GITHUB_URL", f"https://github.com/?{MARK}", "must be an http(s) address without user"),
        ("GITHUB_URL", f"https://[{MARK}", "must be an http(s) address without user"),
        ("GITHUB_API_URL", f"https://github.com:{MARK}", "must be an http(s) address without user"),
        ("GITHUB_API_URL", f"file:///{MARK}", "must be an http(s) address without user"),
        ("GITHUB_APP_ID", f"no id {MARK}", "does not look right: it is the number, or the client ID"),
        ("GITHUB_APP_PRIVATE_KEY", f"/nowhere/{MARK}.pem", "is neither a PEM private key nor the path of"),
        ("GITHUB_APP_PRIVATE_KEY", MARK * 1_000, "is neither a PEM private key nor the path of"),
        (
            "GITHUB_APP_PRIVATE_KEY",
            f"-----BEGIN RSA {'PRIVATE'} KEY-----\n{MARK}\n-----END RSA {'PRIVATE'} KEY-----",
            "does not hold a valid PEM private key without a passphrase",
        ),
        (
            "DATABASE_URL",
            f"mysql://me:{MARK}@db/stanch",
            "must start with sqlite+aiosqlite:// or postgresql+asyncpg://",
        ),
        ("DATABASE_URL", f"sqlite:///{MARK}", "must start with sqlite+aiosqlite:// or postgresql+asyncpg://"),
        ("DATABASE_URL", f"postgresql+asyncpg://me:{MARK}@db:{MARK}/stanch", "is not a database address"),
        (
            "DATABASE_URL",
            f"postgresql+asyncpg://u:pa@{MARK}@127.0.0.1/db",
            "has more than one @: write an @ in",
        ),
        (
            "DATABASE_URL",
            f"postgresql+asyncpg://u:pa@a/{MARK}@127.0.0.1/db",
            "has more than one @: write an @ in",
        ),
        (
            "DATABASE_URL",
            f"postgresql+asyncpg://u:{MARK}@db/x?ssl=verify-full&sslrootcert=/nope.pem",
            "has sslrootcert with a file that is not there",
        ),
        (
            "DATABASE_URL",
            f"postgresql+asyncpg://u:{MARK}@db/x?ssl=true",
            "must have sslmode with one of disable",
        ),
        ("DATABASE_URL", f"postgresql+asyncpg://u:{MARK}@db/x?sslmode=on", "must have sslmode with one of"),
        (
            "DATABASE_URL",
            f"postgresql+asyncpg://u:{MARK}@db/x?sslmode=require&ssl=disable",
            "must have sslmode with one of",
        ),
        (
            "DATABASE_URL",
            f"postgresql+asyncpg://u:{MARK}@db/x?sslmod=require",
            "has a parameter sslmod that Stanch does not know: did you mean sslmode?",
        ),
        (
            "DATABASE_URL",
            f"postgresql+asyncpg://u:{MARK}@db/x?pgbouncer=true",
            "has a parameter pgbouncer that Stanch does not know: remove it",
        ),
        (
            "DATABASE_URL",
            f"postgresql+asyncpg://u:{MARK}@db/x?sslmode=require&channel_binding=require",
            "asks for channel_binding, which Stanch's driver does not have: remove it",
        ),
        (
            "DATABASE_URL",
            f"postgresql+asyncpg://u:{MARK}@db/x?connect_timeout=soon",
            "must have a whole number for connect_timeout",
        ),
        (
            "DATABASE_URL",
            f"postgresql+asyncpg://u:{MARK}@db/x?sslmode=require&sslrootcert=system",
            "has sslrootcert=system, which needs sslmode=verify-full",
        ),
        (
            "DATABASE_URL",
            "sqlite+aiosqlite:///x.db?mode=ro",
            "has a parameter mode, and for SQLite there is only",
        ),
        ("DATABASE_URL", "sqlite+aiosqlite://", "must name a file"),
        ("DATABASE_URL", f"sqlite+aiosqlite:///x.db?timeout={MARK}", "must have a number of seconds for"),
        (
            "DATABASE_URL",
            f"postgresql+asyncpg://u@db/x?sslmode=require&sslcert={MARK}.pem&sslpassword={MARK}",
            "has sslcert, or its sslkey or sslpassword, with a file that is not there",
        ),
        ("PORT", MARK, "must be a whole number"),
        ("PORT", "65536", "must be less than or equal to 65535"),
        ("PORT", "-1", "must be greater than or equal to 0"),
        ("STANCH_SYNC_INTERVAL", "1.5", "must be a whole number"),
        ("STANCH_SYNC_INTERVAL", "-1", "must be greater than or equal to 0"),
        ("STANCH_DEFAULT_CHANNEL", f"#{MARK}", "does not look right: it is a channel's id, as C012AB3CD"),
        ("STANCH_DEFAULT_CHANNEL", "C012\nAB3CD", "does not look right: it is a channel's id"),
        ("GITHUB_ACCOUNTS", f"octo,{MARK} {MARK}", "holds an entry that is no login and no numeric id"),
        ("GITHUB_ACCOUNTS", f"octo@{MARK}.example", "holds an entry that is no login and no numeric id"),
        (
            "GITHUB_ACCOUNTS",
            "https://github.com/Octo",
            "holds an address or a path: write the login alone, octo.",
        ),
        (
            "GITHUB_ACCOUNTS",
            "octo,github.com/orgs",
            "holds an address or a path: write the login alone, orgs.",
        ),
        ("GITHUB_ACCOUNTS", f"https://[{MARK}", "holds an entry that is no login and no numeric id"),
        ("GITHUB_ACCOUNTS", " , ", "names no account: write logins or numeric ids"),
        ("STANCH_OPERATORS", f"ana,{MARK}", "must be Slack user ids, separated by commas, as U012AB3CD"),
        ("STANCH_OPERATORS", ",", "must be Slack user ids, separated by commas"),
        ("STANCH_PUBLIC_URL", f"http://{MARK}.example", "must start with https://: people sign in there"),
        ("STANCH_PUBLIC_URL", f"https://a:{MARK}@octo.example", "must be an http(s) address without user"),
        ("STANCH_PUBLIC_URL", f"https://octo.example/{MARK}", "must have no path: the proxy passes"),
        ("STANCH_PUBLIC_URL", "http://127.0.0.1.octo.example", "must start with https://"),
        ("STANCH_ENCRYPTION_KEYS", MARK, "has no key of 32 bytes in URL-safe Base64 as entry 1: make one"),
        (
            "STANCH_ENCRYPTION_KEYS",
            f"{KEYS[0]},{MARK}",
            "has no key of 32 bytes in URL-safe Base64 as entry 2",
        ),
        ("STANCH_ENCRYPTION_KEYS", f"{KEYS[0]},", "has no key of 32 bytes in URL-safe Base64 as entry 2"),
        (
            "STANCH_ENCRYPTION_KEYS",
            "!" + KEYS[0][1:],
            "has no key of 32 bytes in URL-safe Base64 as entry 1",
        ),
        ("STANCH_ENCRYPTION_KEYS", f"{KEYS[0]},{KEYS[0]}=", "has the same key twice"),
        ("GITHUB_APP_CLIENT_ID", f"Iv 1 {MARK}", "does not look right: it is the client ID, as Iv23li"),
        ("GITHUB_APP_CLIENT_SECRET", MARK, "is set without GITHUB_APP_CLIENT_ID: set both, or none"),
        ("STANCH_LOG_LEVEL", MARK, "must be 'debug', 'info', 'warning' or 'error'"),
        ("STANCH_LOG_FORMAT", MARK, "must be 'json' or 'text'"),
    ],
)
def test_a_malformed_setting_is_named_and_its_value_not_shown(
    with_env: Setting, name: str, value: str, sentence: str
) -> None:
    with_env(**{name: value})
    assert refusal().startswith(f"{name} {sentence}")


@pytest.mark.parametrize("kind", ["with a passphrase", "of another kind"])
def test_a_key_of_another_kind_than_githubs_is_refused(with_env: Setting, kind: str) -> None:
    if kind == "of another kind":
        key = ec.generate_private_key(ec.SECP256R1())
        text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    else:
        locked = BestAvailableEncryption(MARK.encode())
        key_of_rsa = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        text = key_of_rsa.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked).decode()
    with_env(GITHUB_APP_PRIVATE_KEY=text)
    assert refusal().startswith("GITHUB_APP_PRIVATE_KEY does not hold ")


@pytest.mark.parametrize(
    "form", ["as text", "with line ends written out", "as a path", "without its last line end"]
)
def test_the_private_key_may_be_given_in_four_ways(
    with_env: Setting, tmp_path: Path, pem: str, form: str
) -> None:
    (tmp_path / "app.pem").write_text(pem)
    value = {
        "as text": pem,
        "with line ends written out": pem.replace("\n", "\\n"),
        "as a path": str(tmp_path / "app.pem"),
        "without its last line end": pem.strip(),
    }[form]
    with_env(GITHUB_APP_PRIVATE_KEY=value)
    assert load_settings(GitHubSettings).github_app_private_key.get_secret_value() == pem


def test_the_slash_at_the_end_of_an_address_is_added_or_removed(with_env: Setting) -> None:
    with_env(
        SLACK_API_URL="http://127.0.0.1:8080/api",
        GITHUB_URL="https://octo.ghe.com/",
        GITHUB_API_URL="https://ghes.octo.test/api/v3/",
    )
    settings = load_settings(Settings)
    assert settings.slack_api_url == "http://127.0.0.1:8080/api/"
    assert settings.github_url == "https://octo.ghe.com"
    assert settings.github_api_url == "https://ghes.octo.test/api/v3"


def test_accounts_are_compared_without_case(with_env: Setting) -> None:
    with_env(GITHUB_ACCOUNTS=" Octo, ,octo-labs,OCTO ")
    assert load_settings(GitHubSettings).github_accounts == {"octo", "octo-labs"}


def test_a_client_id_without_its_secret_ends_the_start(with_env: Setting) -> None:
    with_env(GITHUB_APP_CLIENT_ID="Iv23liX")
    assert refusal() == (
        "GITHUB_APP_CLIENT_SECRET is not set: people can't sign in with GITHUB_APP_CLIENT_ID alone."
    )


def test_encryption_keys_keep_their_order_and_may_be_padded(with_env: Setting) -> None:
    with_env(STANCH_ENCRYPTION_KEYS=f"{KEYS[1]}= , {KEYS[0]}")
    settings = load_settings(KeySettings)
    assert settings.encryption_keys() == (bytes(range(2, 34)), bytes(range(1, 33)))
    assert KEYS[0] not in repr(settings)


@pytest.mark.parametrize(
    "address",
    [
        "https://stanch.octo.test",
        "https://stanch:8443/",
        "http://127.0.0.1:3000",
        "http://localhost:3000",
        "http://[::1]:3000",
    ],
)
def test_people_sign_in_over_https_or_on_this_machine(with_env: Setting, address: str) -> None:
    with_env(STANCH_PUBLIC_URL=address, GITHUB_APP_CLIENT_ID="Iv23liX", GITHUB_APP_CLIENT_SECRET=MARK)
    assert load_settings(Settings).stanch_public_url == address.rstrip("/")


def test_operators_are_slack_user_ids(with_env: Setting) -> None:
    with_env(STANCH_OPERATORS=" U012AB3CD, ,W045EF6GH")
    assert load_settings(Settings).stanch_operators == {"U012AB3CD", "W045EF6GH"}


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"STANCH_PUBLIC_URL": "https://stanch.octo.test"}, {"STANCH_PUBLIC_URL"}),
        ({"GITHUB_APP_CLIENT_ID": "Iv23liX", "GITHUB_APP_CLIENT_SECRET": MARK}, {"GITHUB_APP_CLIENT_ID"}),
        ({"STANCH_ENCRYPTION_KEYS": KEYS[0]}, set()),
    ],
)
def test_a_sign_in_that_is_set_up_in_part_is_warned_of(
    with_env: Setting, variables: dict[str, str], named: set[str]
) -> None:
    with_env(**variables)
    assert set(questionable()) == named


def test_acting_as_the_user_needs_sign_in_and_kept_tokens(with_env: Setting, tmp_path: Path) -> None:
    with_env(GITHUB_APP_CLIENT_ID="Iv23liX", GITHUB_APP_CLIENT_SECRET=MARK)
    (tmp_path / "stanch.toml").write_text("[github]\nact_as = 'user'\n")
    needs = 'is not set: github.act_as = "user" needs it; set it, or choose "user_or_app".'
    assert refusals() == [f"STANCH_ENCRYPTION_KEYS {needs}", f"STANCH_PUBLIC_URL {needs}"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[report]\nalone_after = 5", "report can't have alone_after without approvals = 2"),
        ("[report]\napprovals = 3", "report.approvals must be 1 or 2"),
        ("[report]\napprovals = 2\nalone_after = 60", "report.alone_after must be less than or equal to 59"),
        ("[report]\napprovals = 2\nalone_after = 0", "report.alone_after must be greater than or equal to 1"),
        ("[directory]\nsource = 'auto'", "directory needs domains: the domains of your people's addresses"),
        (
            "[directory]\nsource = 'ldap'",
            "directory.source must be 'off', 'saml', 'verified_domains' or 'auto'",
        ),
        ("[directory]\ndomains = ['octo']", "directory.domains, entry 1"),
        ("[directory]\ndomains = ['*.example']", "directory.domains, entry 1"),
        ("[directory]\ndomains = ['@octo.example']", "directory.domains, entry 1"),
        ("[directory]\ndomains = ['octö.example']", "directory.domains, entry 1"),
        ("[directory]\ninterval = 60", "directory.interval must be greater than or equal to 900"),
        ("[link]\nlasts = 0", "link.lasts must be greater than or equal to 1"),
        ("[github]\nact_as = 'bot'", "github.act_as must be 'user', 'app' or 'user_or_app'"),
    ],
)
def test_options_about_people_are_checked(text: str, fault: str) -> None:
    with pytest.raises(StartRefused) as refused:
        options(text)
    assert str(refused.value).startswith(f"stanch.toml: {fault}")


def test_domains_are_compared_in_small_letters() -> None:
    read = options("[directory]\nsource = 'saml'\ndomains = ['Octo.Example', 'eu.octo.example']\n")
    assert read.directory.domains == ("octo.example", "eu.octo.example")


def test_empty_variables_count_as_not_set(with_env: Setting) -> None:
    names = (
        "SLACK_APP_TOKEN",
        "GITHUB_WEBHOOK_SECRET",
        "STANCH_DEFAULT_CHANNEL",
        "STANCH_CONFIG",
        "PORT",
        "DATABASE_URL",
    )
    with_env(**dict.fromkeys(names, ""))
    settings = load_settings(Settings)
    assert (settings.slack_app_token, settings.github_webhook_secret) == (None, None)
    assert (settings.stanch_default_channel, settings.stanch_config, settings.port) == (None, None, 3000)


WHITE_SPACE = ("\n", " ", "\t", "\r\n", "\u00a0", "\u3000", "\ufeff", "\u200b")
"""White space and invisible characters that come with a value from a page or a file."""


@pytest.mark.parametrize("space", WHITE_SPACE)
def test_white_space_around_a_value_is_ignored(
    with_env: Setting, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pem: str, space: str
) -> None:
    """With a newline after a secret, every signature would be refused."""
    settings = {
        "SLACK_BOT_TOKEN": BOT_TOKEN,
        "SLACK_APP_TOKEN": APP_TOKEN,
        "SLACK_SIGNING_SECRET": MARK,
        "SLACK_API_URL": "https://slack.com/api/",
        "GITHUB_APP_ID": "12345",
        "GITHUB_APP_PRIVATE_KEY": pem,
        "GITHUB_ACCOUNTS": "octo",
        "GITHUB_APP_CLIENT_ID": "Iv23liX",
        "GITHUB_APP_CLIENT_SECRET": MARK,
        "GITHUB_WEBHOOK_SECRET": MARK,
        "GITHUB_WEBHOOK_SECRET_OLD": f"{MARK}1",
        "SLACK_SIGNING_SECRET_OLD": f"{MARK}1",
        "STANCH_PUBLIC_URL": "https://stanch.octo.test",
        "STANCH_OPERATORS": "U012AB3CD",
        "STANCH_ENCRYPTION_KEYS": KEYS[0],
        "GITHUB_URL": "https://github.com",
        "GITHUB_API_URL": "https://api.github.com",
        "DATABASE_URL": "sqlite+aiosqlite:///other.db",
        "DATABASE_URL_NEW": "sqlite+aiosqlite:///new.db",
        "HOST": "127.0.0.1",
        "PORT": "3000",
        "STANCH_CONFIG": "other.toml",
        "STANCH_DEFAULT_CHANNEL": "C012AB3CD",
        "STANCH_AUDIT_KEY": MARK,
        "STANCH_AUDIT_STREAM": "audit.jsonl",
        "STANCH_SYNC_INTERVAL": "900",
        "STANCH_LOG_LEVEL": "info",
        "STANCH_LOG_FORMAT": "json",
    }
    assert set(settings) >= {name.upper() for name in Settings.model_fields} - NOT_TEXT
    (tmp_path / "app.pem").write_text(pem, encoding="utf-8-sig")
    with_env(**settings)
    plain = load_settings(Settings)
    for name, value in {**settings, "GITHUB_APP_PRIVATE_KEY": str(tmp_path / "app.pem")}.items():
        monkeypatch.setenv(name, f"{space}{value}{space}")
    assert load_settings(Settings) == plain


NOT_TEXT: frozenset[str] = frozenset()
"""Settings whose white space another test tries."""


def test_a_value_of_white_space_alone_is_not_set(with_env: Setting) -> None:
    with_env(GITHUB_WEBHOOK_SECRET=" \n", PORT="\t", SLACK_BOT_TOKEN="\u00a0")
    assert refusal().startswith("SLACK_BOT_TOKEN is not set: ")
    with_env(GITHUB_WEBHOOK_SECRET=" \n", PORT="\t")
    settings = load_settings(Settings)
    assert (settings.github_webhook_secret, settings.port) == (None, 3000)


OLD_SECRETS = (
    ("GITHUB_WEBHOOK_SECRET_OLD", "GITHUB_WEBHOOK_SECRET"),
    ("SLACK_SIGNING_SECRET_OLD", "SLACK_SIGNING_SECRET"),
)


@pytest.mark.parametrize(("old", "new"), OLD_SECRETS)
@pytest.mark.parametrize("empty", ["", " ", "\u200b\n"])
def test_an_empty_old_secret_ends_the_start(with_env: Setting, old: str, new: str, empty: str) -> None:
    with_env(**{new: MARK, old: empty})
    assert refusal() == f"{old} is empty: set it to the secret that is being replaced, or remove it."


def test_an_old_secret_that_is_empty_in_the_env_file_is_named_with_other_faults(
    with_env: Setting, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("SLACK_SIGNING_SECRET_OLD=\n")
    with_env(PORT="x")
    assert [sentence.split()[0] for sentence in refusals()] == ["PORT", "SLACK_SIGNING_SECRET_OLD"]


@pytest.mark.parametrize(("old", "new"), OLD_SECRETS)
def test_an_old_secret_needs_the_one_that_replaces_it(with_env: Setting, old: str, new: str) -> None:
    with_env(**{"SLACK_APP_TOKEN": APP_TOKEN, "SLACK_SIGNING_SECRET": None, old: MARK})
    assert refusal() == f"{old} is set without {new}: set {new} to the secret that replaces it."


@pytest.mark.parametrize(("old", "new"), OLD_SECRETS)
def test_an_old_secret_is_warned_of_as_long_as_it_is_set(with_env: Setting, old: str, new: str) -> None:
    with_env(**{new: MARK, old: f"{MARK}1"})
    assert questionable() == {old: "is accepted too: remove it once nothing is signed with it any more"}
    with_env(**{new: MARK, old: MARK})
    assert questionable() == {
        old: f"is the same as {new}, so nothing is being replaced: remove it",
    }


def test_the_env_file_may_begin_with_a_byte_order_mark_and_quote_white_space(
    tmp_path: Path, pem: str
) -> None:
    (tmp_path / "app.pem").write_text(pem)
    (tmp_path / ".env").write_text(
        f'SLACK_BOT_TOKEN="{BOT_TOKEN}\\n"\nSLACK_SIGNING_SECRET=" {MARK} "\nGITHUB_APP_ID=1\n'
        f"GITHUB_APP_PRIVATE_KEY={tmp_path}/app.pem\n",
        encoding="utf-8-sig",
    )
    settings = load_settings(Settings)
    assert settings.slack_bot_token.get_secret_value() == BOT_TOKEN
    assert settings.slack_signing_secret is not None
    assert settings.slack_signing_secret.get_secret_value() == MARK


REQUIRE_COMMENT = (
    "stanch.toml: close.require_comment must be true, false, or a list of "
    "revoked, false_positive, used_in_tests, wont_fix."
)


def test_all_faults_of_settings_and_options_are_named_at_once(
    with_env: Setting, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with_env(SLACK_BOT_TOKEN=None, SLACK_SIGNING_SECRET=None, GITHUB_APP_PRIVATE_KEY=None, PORT="http")
    (tmp_path / "stanch.toml").write_text("[close]\nrequire_comment = 'perhaps'\nrequire = 1\n[clse]\n")
    assert refusals() == [
        f"GITHUB_APP_PRIVATE_KEY is not set: {MISSING['GITHUB_APP_PRIVATE_KEY']}.",
        "SLACK_BOT_TOKEN is not set: take the bot token (xoxb-…) from your Slack app's page OAuth & Permissions.",
        "SLACK_SIGNING_SECRET is not set: it verifies Slack's requests; or set SLACK_APP_TOKEN for Socket Mode.",
        "PORT must be a whole number.",
        REQUIRE_COMMENT,
        "stanch.toml has an unknown key close.require: remove it or correct its spelling.",
        "stanch.toml has an unknown key clse: remove it or correct its spelling.",
    ]


def test_with_a_malformed_app_token_no_signing_secret_is_asked_for(with_env: Setting) -> None:
    with_env(SLACK_SIGNING_SECRET=None, SLACK_APP_TOKEN=BOT_TOKEN)
    assert refusal().startswith("SLACK_APP_TOKEN must be an app-level token")


def questionable() -> dict[str, str]:
    return dict(questionable_settings(load_settings(Settings)))


@pytest.mark.parametrize("stream", ["nowhere/audit.jsonl", "."])
def test_the_audit_stream_is_a_file_in_a_folder_that_exists(with_env: Setting, stream: str) -> None:
    with_env(STANCH_AUDIT_STREAM=stream)
    assert refusal() == (
        "STANCH_AUDIT_STREAM must be - for standard output, or the path of a file in a folder that exists."
    )


def test_an_unknown_setting_is_warned_of_with_the_nearest_name(with_env: Setting, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("STANCH_DEFAULT_CHANEL=C012AB3CD\n")
    with_env(STANCH_AUDITKEY=MARK, STANCH_ZZZ="1", GITHUB_WEBHOOK_SECERT=MARK, SLACK_APP_TOKN=APP_TOKEN)
    found = questionable()
    assert found == {
        "STANCH_AUDITKEY": "no such setting: did you mean STANCH_AUDIT_KEY?",
        "STANCH_DEFAULT_CHANEL": "no such setting: did you mean STANCH_DEFAULT_CHANNEL?",
        "STANCH_ZZZ": "no such setting: remove it",
        "GITHUB_WEBHOOK_SECERT": "no such setting: did you mean GITHUB_WEBHOOK_SECRET?",
        "SLACK_APP_TOKN": "no such setting: did you mean SLACK_APP_TOKEN?",
    }


def test_variables_of_others_are_not_warned_of(with_env: Setting) -> None:
    """Kubernetes sets some in every container beside a service named stanch; GitHub Actions sets others."""
    with_env(
        STANCH_PORT="tcp://10.0.0.1:3000",
        STANCH_SERVICE_HOST="10.0.0.1",
        STANCH_PORT_3000_TCP="tcp://10.0.0.1:3000",
        SLACK_WEBHOOK_URL="x",
        GITHUB_ACTIONS="true",
        GITHUB_ACTOR="ana",
        GITHUB_SERVER_URL="x",
        GITHUB_REPOSITORY="x",
        PATHS="x",
    )
    assert questionable() == {}


@pytest.mark.parametrize(("key", "named"), [("abc", True), ("x" * 15, True), ("x" * 16, False)])
def test_a_short_audit_key_is_warned_of_and_used(with_env: Setting, key: str, named: bool) -> None:
    """An installation that has one keeps its audit log after an upgrade."""
    with_env(STANCH_AUDIT_KEY=key)
    assert ("STANCH_AUDIT_KEY" in questionable()) is named


def test_optional_settings_that_may_have_been_forgotten_are_named(with_env: Setting) -> None:
    with_env()
    assert {name for name, _ in missing_settings(load_settings(Settings))} == {
        "STANCH_DEFAULT_CHANNEL",
        "STANCH_AUDIT_KEY",
        "GITHUB_WEBHOOK_SECRET",
    }
    with_env(STANCH_DEFAULT_CHANNEL="C012AB3CD", STANCH_AUDIT_KEY=MARK, GITHUB_WEBHOOK_SECRET=MARK)
    assert list(missing_settings(load_settings(Settings))) == []


def test_the_address_of_a_new_database_is_warned_of(with_env: Setting) -> None:
    with_env(DATABASE_URL_NEW="sqlite+aiosqlite:///new.db")
    assert "remove it when everything is moved" in questionable()["DATABASE_URL_NEW"]


@pytest.mark.parametrize("accounts", ["octo", "12345678", "octo,9919", "octo-labs_emu", "dependabot[bot]"])
def test_accounts_are_logins_or_numeric_ids(with_env: Setting, accounts: str) -> None:
    with_env(GITHUB_ACCOUNTS=accounts)
    assert load_settings(GitHubSettings).github_accounts == set(accounts.split(","))


def test_log_level_and_format_may_be_in_capitals(with_env: Setting) -> None:
    with_env(STANCH_LOG_LEVEL="WARNING", STANCH_LOG_FORMAT="Text")
    settings = load_settings(StorageSettings)
    assert (settings.stanch_log_level, settings.stanch_log_format) == ("warning", "text")


def test_env_in_the_working_directory_is_read(tmp_path: Path, pem: str) -> None:
    quoted = pem.strip().replace("\n", "\\n")
    (tmp_path / ".env").write_text(
        f"SLACK_BOT_TOKEN={BOT_TOKEN}\nSLACK_SIGNING_SECRET={MARK}\nGITHUB_APP_ID=12345\n"
        f'GITHUB_APP_PRIVATE_KEY="{quoted}"\nPORT=3100\nSOMETHING_ELSE=1\n'
    )
    assert load_settings(Settings).port == 3100


def test_the_environment_wins_over_the_env_file(with_env: Setting, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=3100\nHOST=0.0.0.0\n")
    with_env(PORT="3200")
    settings = load_settings(Settings)
    assert (settings.host, settings.port) == ("0.0.0.0", 3200)


def test_an_env_file_that_is_not_text_is_named(with_env: Setting, tmp_path: Path) -> None:
    with_env()
    (tmp_path / ".env").write_bytes(b"PORT=\xff\xfe" + MARK.encode())
    assert refusal() == ".env can't be read as a text file in UTF-8: correct or remove it."


def test_commands_for_the_database_alone_need_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "sqlite+aiosqlite:///other.db")
    assert load_settings(StorageSettings).database_url == "sqlite+aiosqlite:///other.db"
    assert [line.partition(":")[0] for line in refusals(GitHubSettings)] == [
        "GITHUB_APP_ID is not set",
        "GITHUB_APP_PRIVATE_KEY is not set",
    ]


OPTIONS = """
[report]
oauth_tokens = true
[close]
require_comment = true
[validity]
write_back = false
[[checklist.default]]
id = "vault"
text = "Rotated in vault"
link = "https://wiki.octo.test/rotate"
"""


def options(text: str, path: str = "stanch.toml") -> Options:
    """The options of a file with this text."""
    Path(path).write_text(text)
    return load_options(load_settings(StorageSettings))


def test_stanch_toml_in_the_working_directory_is_read() -> None:
    read = options(OPTIONS)
    assert (read.report.oauth_tokens, read.close.require_comment, read.validity.write_back) == (
        True,
        True,
        False,
    )
    assert [step.id for step in read.checklist["default"]] == ["vault"]


@pytest.mark.parametrize(
    ("value", "needed"),
    [
        ("false", set()),
        ("true", {"revoked", "false_positive", "used_in_tests", "wont_fix"}),
        ("['wont_fix']", {"wont_fix"}),
        ("['wont_fix', 'used_in_tests']", {"wont_fix", "used_in_tests"}),
        ("[]", set()),
        # Accepted before there were lists.
        ("'yes'", {"revoked", "false_positive", "used_in_tests", "wont_fix"}),
        ("1", {"revoked", "false_positive", "used_in_tests", "wont_fix"}),
    ],
)
def test_a_comment_is_required_for_all_reasons_or_for_some(value: str, needed: set[str]) -> None:
    close = options(f"[close]\nrequire_comment = {value}\n").close
    assert {reason for reason in RESOLUTIONS if close.requires_comment(reason)} == needed
    assert close.requires_comment(None) is close.requires_comment("no reason") is (len(needed) == 4)


def test_stanch_config_names_another_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STANCH_CONFIG", str(tmp_path / "other.toml"))
    assert options(OPTIONS, "other.toml").close.require_comment is True


def test_a_named_file_that_is_missing_ends_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STANCH_CONFIG", "/nowhere/stanch.toml")
    with pytest.raises(
        StartRefused, match=r"^STANCH_CONFIG names /nowhere/stanch\.toml, which does not exist"
    ):
        load_options(load_settings(StorageSettings))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[clse]\n", "stanch.toml has an unknown key clse: remove it or correct its spelling."),
        ("[close]\nrequire = true\n", "stanch.toml has an unknown key close.require: remove it or correct"),
        (
            "[close]\nrequire_comment = 'perhaps'\n",
            REQUIRE_COMMENT,
        ),
        (
            "[close]\nrequire_comment = ['wontfix']\n",
            "stanch.toml: close.require_comment must be true, false, or a list of revoked,",
        ),
        ("[validity]\ncheck = 'always'\n", "stanch.toml: validity.check must be 'click' or 'never'."),
        (
            "[validity]\ncheck_on_arrival = true\n",
            "stanch.toml: validity.check_on_arrival must be 'off', 'members' or 'all'.",
        ),
        (
            "[validity]\ncheck = 'never'\ncheck_on_arrival = 'members'\n",
            'stanch.toml: validity can\'t have check = "never" with check_on_arrival: set that to "off", or',
        ),
        ("[limits]\nreports_per_hour = 0\n", "stanch.toml: limits.reports_per_hour must be greater than or"),
        (
            "[limits]\ncloses_per_hour = 'many'\n",
            "stanch.toml: limits.closes_per_hour must be a whole number",
        ),
        ("[limits]\ncloses = 1\n", "stanch.toml has an unknown key limits.closes: remove it or correct"),
        ("[close\n", "stanch.toml can't be read as TOML: "),
        ("close = 1\n", "stanch.toml: close must be a table."),
        (
            "[[checklist.default]]\nid = 'A b'\ntext = 'x'\n",
            "stanch.toml: checklist.default, entry 1, id may have only small letters",
        ),
        ("[checklist]\ndefault = 3\n", "stanch.toml: checklist.default must be a list."),
        ("[[checklist.x]]\nid='a'\n", "stanch.toml: checklist.x, entry 1, text is missing."),
        (
            "[[checklist.x]]\nid='a'\ntext=7\n",
            "stanch.toml: checklist.x, entry 1, text must be text in quotes.",
        ),
        (
            "[[checklist.x]]\nid='a'\ntext=''\n",
            "stanch.toml: checklist.x, entry 1, text must have at least 1 ",
        ),
        (
            "[checklist]\ndefault = []\n",
            "stanch.toml: checklist default needs 1 to 10 steps with different ids.",
        ),
        (
            "[[checklist.x]]\nid='a'\ntext='x'\nlink='http://x'\n",
            "stanch.toml: checklist.x, entry 1, link must be an address that starts with https://",
        ),
    ],
)
def test_a_malformed_option_is_named(text: str, sentence: str) -> None:
    with pytest.raises(StartRefused) as refused:
        options(text)
    assert str(refused.value).startswith(sentence)
    assert "\n" not in str(refused.value)


def test_an_options_file_that_can_t_be_read_is_named() -> None:
    Path("stanch.toml").mkdir()
    with pytest.raises(StartRefused, match=r"^stanch\.toml can't be read: Is a directory\.$"):
        load_options(load_settings(StorageSettings))


def test_an_options_file_that_is_not_text_is_named() -> None:
    Path("stanch.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(StartRefused, match=r"^stanch\.toml can't be read as TOML: "):
        load_options(load_settings(StorageSettings))
