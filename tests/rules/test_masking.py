"""Secrets in outside text are masked, and ordinary text stays as it is."""

import base64

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.rules.masking import HIDDEN, looks_like_secret, mask

LETTERS = "aB3" * 12
LONG = "aB3_" * 20
KEY = "OPENSSH PRIVATE" + " KEY-----"
JWT = ".".join("ey" + part for part in ("J" + "a" * 20, "J" + "b" * 20, "c" * 20))

TOKENS = {
    "github classic": "ghp" + "_" + LETTERS,
    "github oauth": "gho" + "_" + LETTERS,
    "github app user": "ghu" + "_" + LETTERS,
    "github installation": "ghs" + "_" + LETTERS,
    "github installation, stateless": "ghs" + "_12345_" + JWT,
    "github refresh": "ghr" + "_" + LETTERS * 2,
    "github fine-grained": "github" + "_pat_" + LONG,
    "github, cut short": "ghp" + "_" + LETTERS[:20],
    "aws": "AK" + "IA" + "A2B3C4D5E6F7G8H9",
    "aws temporary": "AS" + "IA" + "A2B3C4D5E6F7G8H9",
    "slack bot": "xox" + "b-123456789012-" + LETTERS,
    "slack refresh": "xox" + "e.xox" + "p-1-" + LETTERS,
    "slack app": "xapp" + "-1-A012-" + LETTERS,
    "slack webhook": "https://hooks.slack.com/" + "services/T000/B000/" + LETTERS,
    "stripe": "sk" + "_live_" + LETTERS,
    "stripe restricted": "rk" + "_live_" + LETTERS,
    "google": "AI" + "za" + "aB3_-" * 7,
    "gitlab": "gl" + "pat-" + "aB3_-" * 4,
    "npm": "np" + "m_" + LETTERS,
    "pypi": "py" + "pi-AgEIcHlwaS5vcmc" + LONG,
    "sendgrid": "SG" + "." + "a" * 22 + "." + "b" * 43,
    "jwt": JWT,
    "openai": "sk" + "-proj-" + LONG,
    "private key": f"-----BEGIN {KEY}\nb3BlbnNzaC1rZXk\n-----END {KEY}",
    "private key, cut short": f"-----BEGIN {KEY}\nMIIEvQIBADANBgkqhkiG9w0BAQEF",
}
NAMED = {
    "assignment": ("password=", "hunter2"),
    "environment": ("export DB_PASSWORD=", "correct-horse"),
    "yaml": ('api_key: "', "not-long"),
    "yaml, bare": ("client_secret: ", "a1b2c3d4e5"),
    "azure": ("DefaultEndpointsProtocol=https;AccountName=octo;Account" + "Key=", "Zm9vYmFy" * 8 + "=="),
    "shared access": ("https://octo.blob.core.windows.net/x?sv=2024&sig=", "a1%2Bb2c3d4"),
    "header": ("Authorization: Bearer ", "a1b2c3d4" * 3),
    "url": ("postgres://octo:", "s3same"),
}
ORDINARY = [
    "",
    "Won't fix: this is a test fixture",
    "token: rotated by Ana, the secret is revoked",
    "Authorization: Bearer xxxxxxxxxxxxxxxxxxxxxxxx to postgres://octo:****@db",
    "GitHub Personal Access Token in octo/payments, alert 42",
    "secret-type:github_personal_access_token validity:active",
    "config/passwords/token.example.env",
    "password=${DB_PASSWORD} token=<your token> secret=********",
    "4f35f36a9d3c1b2e4f35f36a9d3c1b2e4f35f36a",
    "src/main/java/com/octo/payments/configuration/DeploymentConfiguration.java",
    "https://github.com/octo/payments/security/secret-scanning/42",
    "new token: see https://github.com/octo/payments/issues/12",
    "👩‍👩‍👧 flags stay whole",
]


def encodings(token: str) -> dict[str, str]:
    plain = token.encode()
    return {
        "base64": base64.b64encode(plain).decode(),
        "base64 of a header": base64.b64encode(b"octo:" + plain).decode(),
        "base64 for URLs": base64.urlsafe_b64encode(b"?>" + plain).decode(),
        "base64 twice": base64.b64encode(base64.b64encode(plain)).decode(),
        "base64 behind a path": "data/x/" + base64.b64encode(plain).decode(),
        "hex": plain.hex(),
    }


@pytest.mark.parametrize("token", TOKENS.values(), ids=TOKENS)
def test_no_part_of_a_known_token_stays(token: str) -> None:
    masked = mask(f"before '{token}' after" if "PRIVATE" not in token else f"before {token}")
    assert masked.startswith("before")
    assert HIDDEN in masked
    assert LETTERS[:8] not in masked
    assert not any(part in masked for part in (token, token[-8:]))
    assert looks_like_secret(token)


@pytest.mark.parametrize(("before", "value"), NAMED.values(), ids=NAMED)
def test_a_value_after_a_secret_name_is_masked_and_the_name_stays(before: str, value: str) -> None:
    after = "@db.octo.test/payments" if "://" in before and "?" not in before else " and more"
    masked = mask(before + value + after)
    assert value not in masked
    assert masked.startswith(before.rstrip('"'))
    assert looks_like_secret(before + value + after)


@pytest.mark.parametrize("encoded", encodings(TOKENS["github classic"]).values(), ids=encodings("x"))
def test_an_encoded_token_is_masked(encoded: str) -> None:
    assert encoded[-12:] not in mask(f"see {encoded} there")
    assert looks_like_secret(encoded)


@pytest.mark.parametrize("token", TOKENS.values(), ids=TOKENS)
def test_a_token_between_other_bytes_is_masked_encoded_too(token: str) -> None:
    between = bytes(range(0x80, 0x90)) + token.encode() + b"\xff\x00"
    for encoded in (base64.b64encode(between).decode(), between.hex()):
        assert mask(f"see {encoded} there") == f"see {HIDDEN} there"


@pytest.mark.parametrize("text", ["pwd=1a2b", "sig=1a2b"])
def test_the_shortest_text_with_a_secret_is_masked(text: str) -> None:
    assert mask(text) == text[:4] + HIDDEN


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_is_returned_as_it_is(text: str) -> None:
    assert mask(text) == text
    assert not looks_like_secret(text)


@pytest.mark.parametrize("invisible", ["\u200b", "\u2060", "\u202e", "\u00ad", "\ud800", "\x00"])
def test_a_token_split_by_invisible_characters_is_found(invisible: str) -> None:
    """They are removed before a text is shown, which would make the token whole again."""
    masked = mask(f"see ghp_aaaaa{invisible}{LETTERS}")
    assert masked == f"see {HIDDEN}"


def test_text_between_two_secrets_stays() -> None:
    one, two = TOKENS["github classic"], TOKENS["aws"]
    assert mask(f"{one}, then {two}.") == f"{HIDDEN}, then {HIDDEN}."


def test_text_around_a_private_key_stays() -> None:
    assert mask(f"a\n{TOKENS['private key']}\nb") == f"a\n{HIDDEN}\nb"


secrets = st.sampled_from([*TOKENS.values(), *(before + value for before, value in NAMED.values())])
hostile = st.lists(st.one_of(secrets, st.text(max_size=30), st.sampled_from(ORDINARY)), max_size=6)


@given(hostile)
@example(["password=", "password=", "x" * 9])
def test_masking_twice_changes_nothing_more(parts: list[str]) -> None:
    masked = mask(" ".join(parts))
    assert mask(masked) == masked
    assert not looks_like_secret(masked)


@given(st.text(max_size=40), st.sampled_from(list(TOKENS.values())), st.text(max_size=40))
def test_a_token_is_masked_in_any_surrounding_text(before: str, token: str, after: str) -> None:
    assert token not in mask(f"{before} {token} {after}")


@pytest.mark.parametrize("piece", ["a", "token: ", "ghp_", f"-----BEGIN {KEY}", "ey" + "Ja.", "://", "00"])
def test_long_text_with_near_misses_is_fast(piece: str) -> None:
    """Ten thousand characters of near misses are masked without long backtracking."""
    assert isinstance(mask(piece * (10_000 // len(piece))), str)
