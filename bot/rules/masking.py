"""Masks what looks like a secret in text from GitHub and from people.

Every such text is masked before it is stored, shown or sent. Tokens are found by the documented prefixes of the
kinds that leak most. A secret without a prefix is found by a name before it, such as `password=`.
"""

import base64
import re
import unicodedata
from collections.abc import Iterator

HIDDEN = "[hidden]"

# One alternative per line. The lengths are shorter than a whole token, so that part of one is masked too.
_TOKEN = re.compile(
    r"""
      gh[a-z]_ \d{1,20} _ ey[\w-]{8,} (?:\.[\w-]+){0,2}     # GitHub, stateless installation token
    | gh[oprsu]_ [A-Za-z0-9]{10,}                           # GitHub, all other kinds
    | github_pat_ \w{10,}                                   # GitHub, fine-grained
    | (?<![A-Z0-9]) (?:AKIA|ASIA|ABIA|ACCA) [A-Z0-9]{16}    # AWS access key id
    | xox[a-z] (?:\.xox[a-z])? - [\w-]{10,}                 # Slack
    | xapp- \d - [\w-]{10,}                                 # Slack, app level
    | hooks\.slack\.com/(?:services|workflows|triggers)/ [\w/]{10,}
    | (?:sk|rk)_(?:live|test)_ [A-Za-z0-9]{10,}             # Stripe
    | whsec_ [A-Za-z0-9+/=]{16,}
    | AIza [\w-]{30,}                                       # Google API key
    | ya29\. [\w-]{20,}
    | GOCSPX- [\w-]{20,}
    | gl(?:pat|dt|rt|ptt|oas|soat|ft|imt|agent|cbt|ffct)- [\w.-]{16,}     # GitLab
    | npm_ [A-Za-z0-9]{20,}
    | pypi-AgE [\w-]{16,}
    | SG\. [\w-]{12,} \. [\w-]{12,}                         # SendGrid
    | sk-(?:ant-|proj-|svcacct-) [\w-]{20,}                 # Anthropic, OpenAI
    | (?<!\w) sk- [A-Za-z0-9]{40,}
    | hf_ [A-Za-z0-9]{24,}
    | hv[sbr]\. [\w-]{20,}                                  # HashiCorp Vault
    | do[opr]_v1_ [a-f0-9]{32,}                             # DigitalOcean
    | dckr_pat_ [\w-]{16,}
    | shp(?:at|ca|pa|ss)_ [a-fA-F0-9]{24,}                  # Shopify
    | lin_api_ [A-Za-z0-9]{24,}
    | (?<!\w) dapi [a-f0-9]{32}                             # Databricks
    | (?<!\d) \d{8,10} : AA [\w-]{30,}                      # Telegram
    | AGE-SECRET-KEY-1 [A-Z0-9]{20,}
    | -----BEGIN\ [A-Z0-9\ ]{0,40}PRIVATE\ KEY(?:\ BLOCK)?-----
      (?: .*? -----END\ [A-Z0-9\ ]{0,40}PRIVATE\ KEY(?:\ BLOCK)?----- | .* )
    """,
    re.VERBOSE | re.ASCII | re.DOTALL,
)
# A JSON Web Token. The search starts at the beginning of a word only, and only if a second part follows. Starting at
# every `eyJ` of a long word would be quadratic, because each start reads the rest of the word.
_JWT = re.compile(
    r"(?<![\w-])(?=[\w-]++\.ey[JI][\w-]{8})[\w-]*?(?P<token>ey[JI][\w-]{8,}\.ey[JI][\w-]{8,}(?:\.[\w-]*)?)",
    re.ASCII,
)

_NAME = (
    r"(?:pass(?:word|wd|phrase)|pwd|secret|token|credentials?|api[ _-]?key|access[ _-]?key(?:[ _-]?id)?"
    r"|account[ _-]?key|private[ _-]?key|auth[ _-]?key|connection[ _-]?string|(?<![a-z])sig)"
)
_VALUE = r"""(?P<value>"[^"\n]+"|'[^'\n]+'|<[^<>\n]*>|["']?[^\s"'`,;&]+)"""
_ASSIGNED = re.compile(_NAME + r"""["'\]]?\s{0,3}(?P<sign>:=|=>|==?|:)\s{0,3}""" + _VALUE, re.IGNORECASE)
_AUTHORIZATION = re.compile(r"\b(?:bearer|basic)\s+(?P<value>[\w.~+/=-]{16,})", re.IGNORECASE | re.ASCII)
_URL_PASSWORD = re.compile(r"://[^\s/:@]{0,100}:(?P<value>[^\s/@]{1,200})@")
_PLACEHOLDER = re.compile(
    r"[*•x.…]+|\$.*|<.*>|\{\{.*|%.*%|\[hidden\].*|https?://.*|null|none|true|false", re.IGNORECASE
)
_LEAST_VALUE = 4
_LEAST_GUESS = 8

_BASE64_RUN = re.compile(r"[A-Za-z0-9+/_-]{20,}={0,2}")
_HEX_RUN = re.compile(r"(?:[0-9a-fA-F]{2}){14,}")
# Every token, plain or encoded, has so many of these characters in a row; what was no encoding decodes to noise.
_READABLE = re.compile(r"[A-Za-z0-9+/_.:= -]{14}")
_NESTING = 2
_SHORTEST = 8
"""Characters of the shortest text with a secret, as `pwd=1234`."""
INVISIBLE = frozenset({"Cc", "Cf", "Cs"})
"""Unicode's categories of control, format and surrogate characters."""

Span = tuple[int, int]


def mask(text: str, *, by_name: bool = True) -> str:
    """`text` with `[hidden]` in place of each secret; unchanged if it has none.

    A secret split by invisible characters is found too; the masked text then has no invisible characters. Masking is
    idempotent. Without `by_name`, only tokens with a known shape are masked, not values after a name like `password`.
    """
    seen = _visible(text)
    if len(seen) < _SHORTEST:
        return text
    spans = _merged(_secrets(seen) if by_name else _shaped(seen))
    if not spans:
        return text
    kept, end = [], 0
    for start, following in spans:
        kept += [seen[end:start], HIDDEN]
        end = following
    return "".join([*kept, seen[end:]])


def looks_like_secret(text: str) -> bool:
    """Whether `mask` would change the text."""
    return next(_secrets(_visible(text)), None) is not None


def _shaped(text: str) -> Iterator[Span]:
    """Spans of tokens with a known shape, plain or encoded."""
    yield from _tokens(text)
    yield from _encoded(text, _NESTING)


def _tokens(text: str) -> Iterator[Span]:
    for found in _TOKEN.finditer(text):
        yield found.span()
    for found in _JWT.finditer(text):
        yield found.span("token")


def _secrets(text: str) -> Iterator[Span]:
    yield from _shaped(text)
    for found in _ASSIGNED.finditer(text) if "=" in text or ":" in text else ():
        if _is_secret_value(found["value"], found["sign"]):
            yield found.span("value")
    for pattern in (_AUTHORIZATION, _URL_PASSWORD):
        for found in pattern.finditer(text):
            if not _PLACEHOLDER.fullmatch(found["value"]):
                yield found.span("value")


def _is_secret_value(value: str, sign: str) -> bool:
    """Whether the value after a name like `password` is a secret.

    After a colon it may be plain prose ("token: rotated by Ana"), so there it must have letters and digits.
    """
    bare = value.strip("\"'()[]{}")
    if len(bare) < _LEAST_VALUE or _PLACEHOLDER.fullmatch(value) or _PLACEHOLDER.fullmatch(bare):
        return False
    if sign != ":" or value[0] in "\"'":
        return True
    looks_random = any(c.isdigit() for c in bare) and any(c.isalpha() for c in bare)
    return looks_random and len(bare) >= _LEAST_GUESS


def _encoded(text: str, nesting: int) -> Iterator[Span]:
    """Spans of Base64 or hex that contain a token; `nesting` is how often it may be encoded."""
    for pattern, decode in ((_BASE64_RUN, _from_base64), (_HEX_RUN, _from_hex)):
        for found in pattern.finditer(text):
            for inside in filter(_READABLE.search, decode(found[0])):
                if next(_tokens(inside), None) or (nesting > 1 and next(_encoded(inside, nesting - 1), None)):
                    yield found.span()
                    break


def _from_base64(run: str) -> Iterator[str]:
    """The run decoded from each of its first four characters, because a path may come directly before it."""
    letters = run.rstrip("=").translate(str.maketrans("-_", "+/"))
    for start in range(4):
        part = letters[start:]
        part = part[: len(part) - 1] if len(part) % 4 == 1 else part
        yield base64.b64decode(part + "=" * (-len(part) % 4)).decode("latin-1")


def _from_hex(run: str) -> Iterator[str]:
    yield bytes.fromhex(run).decode("latin-1")


def _visible(text: str) -> str:
    if text.isprintable():  # Python's docs: then none of its characters has one of these categories.
        return text
    return "".join(c for c in text if c in "\n\r\t" or unicodedata.category(c) not in INVISIBLE)


def _merged(spans: Iterator[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
