"""Every mrkdwn template in the bot is a literal, so no text from outside can become one."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]


def unsafe(source: str) -> Iterator[int]:
    """Lines that make markup of anything but a literal."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name | ast.Attribute):
            continue
        called = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
        first = node.args[0] if node.args else None
        literal = isinstance(first, ast.Constant) and isinstance(first.value, str)
        if called in {"mrkdwn", "Mrkdwn"} and not literal:
            yield node.lineno


def test_every_template_is_a_literal() -> None:
    files = (ROOT / "bot").rglob("*.py")
    found = [f"{file.relative_to(ROOT)}:{line}" for file in files for line in unsafe(file.read_text())]
    assert found == []


def test_a_template_made_at_run_time_is_found() -> None:
    assert list(unsafe('t.mrkdwn(title)\nmrkdwn("*{}*", title)\nMrkdwn(f"*{title}*")\nmrkdwn("a" + b)')) == [
        1,
        3,
        4,
    ]
