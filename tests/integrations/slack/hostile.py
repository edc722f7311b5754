"""Hypothesis strategies for hostile and accidental text."""

from hypothesis import strategies as st

PIECES = [
    "<!channel>",
    "<!here|here>",
    "<!subteam^S0123456|sec>",
    "<@U0OWNER>",
    "<#C0SECURITY|general>",
    "<https://evil.test|github.com>",
    "@everyone",
    "&lt;!channel&gt;",
    "&amp;",
    "&",
    "<",
    ">",
    "|",
    "*bold*",
    "_it_",
    "~no~",
    "`code`",
    "```",
    ":rotating_light:",
    ":+1:",
    "\u202egnp.exe",
    "\u2066",
    "\u200b",
    "\u200f",
    "\ufeff",
    "\u2028",
    "\x00",
    "\x1b[31m",
    "\x85",
    "\ud800",
    "\udfff",
    "\r\n",
    "\n\n\n\n",
    "\t",
    "👩‍👩‍👧",
    "🔑",
    "e\u0301",
    "{}",
    "{0}",
    "%s",
]
texts = st.one_of(
    st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=8)), max_size=25).map("".join),
    st.text(alphabet=st.characters(), max_size=200),
    st.tuples(st.sampled_from(["&", "<", "🔑", "a ", "<!channel>", "`"]), st.integers(1, 10_000)).map(
        lambda piece: (piece[0] * piece[1])[:10_000]
    ),
    st.just(""),
)
