"""Every mrkdwn template in the bot is a literal, so no text from outside can become one."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]


def is_text(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def literal_tables(module: ast.Module) -> Iterator[str]:
    """The names of a module's dicts whose values are all literals."""
    for statement in module.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            name, value = statement.target.id, statement.value
            if isinstance(value, ast.Dict) and all(is_text(each) for each in value.values):
                yield name


def unsafe(source: str) -> Iterator[int]:
    """Lines that make markup of anything but a literal, or a row of a table of literals in the same module."""
    module = ast.parse(source)
    tables = set(literal_tables(module))
    for node in ast.walk(module):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name | ast.Attribute):
            continue
        called = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
        first = node.args[0] if node.args else None
        literal = is_text(first) or (
            isinstance(first, ast.Subscript)
            and isinstance(first.value, ast.Name)
            and first.value.id in tables
        )
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


def test_a_table_with_a_template_made_at_run_time_is_found() -> None:
    table = 'WORDS: Mapping[str, str] = {"a": "*{}*", "b": TITLE}\nmrkdwn(WORDS["a"], title)'
    assert list(unsafe(table)) == [2]
    assert list(unsafe(table.replace("TITLE", '"{}"'))) == []
