"""What the README, the contributor page and the changelog say is what the code has, no more and no less."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.core
import typer.main
import yaml
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from bot.actions import ACTIONS, MENU, READ_ACTIONS
from bot.cli.main import build
from bot.commands import HELP, SUBCOMMANDS
from bot.commands.buttons import BUTTONS
from bot.metrics import Metrics
from bot.options import Options
from bot.rules.filters import SUBSCRIPTION_WORDS, VALUES, WORDS
from bot.rules.permissions import Need
from bot.settings import Settings
from bot.version import VERSION
from integrations.github.errors import BadDelivery
from integrations.github.webhook_events import Ignored, parse_event

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = ("README.md", "CHANGELOG.md", ".github/CONTRIBUTING.md")
MANIFEST = yaml.safe_load((ROOT / "manifest.yml").read_text(encoding="utf-8"))
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def table(first_column: str) -> list[list[str]]:
    """The rows of the README's table whose first column has this heading, as cells."""
    rows = iter(README.splitlines())
    for row in rows:
        if row.startswith(f"| {first_column} |"):
            next(rows)
            return list(_cells(rows))
    raise AssertionError(f"The README has no table of each {first_column}.")


def _cells(rows: Iterator[str]) -> Iterator[list[str]]:
    for row in rows:
        if not row.startswith("|"):
            return
        yield [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", row)[1:-1]]


def names(first_column: str) -> list[str]:
    """Everything that stands in code in the first column of a table."""
    return [name for row in table(first_column) for name in re.findall(r"`([^`]+)`", row[0])]


def described(row_name: str, rows: list[list[str]]) -> str:
    """The row that a name begins."""
    return " | ".join(next(row for row in rows if f"`{row_name}`" in row[0]))


def test_each_control_is_described_with_what_it_needs() -> None:
    there = {action.id: str(action.needs) for action in ACTIONS} | {
        look.id: Need.VIEW for look in READ_ACTIONS
    }
    assert {row[0].strip("`"): row[2] for row in table("id")} == there
    assert all(f"`{MENU}`" in described(look.id, table("id")) for look in READ_ACTIONS)


def test_each_subcommand_is_described() -> None:
    words = {f"/leaks {subcommand.usage}" for subcommand in SUBCOMMANDS} | {f"/leaks {HELP}"}
    assert set(names("subcommand")) == words


def test_each_word_of_a_filter_is_described_with_what_it_takes() -> None:
    rows = {row[0].strip("`:"): row for row in table("word")}
    assert sorted(rows) == sorted(map(str, WORDS))
    assert {word for word, row in rows.items() if row[2] == "yes"} == set(map(str, SUBSCRIPTION_WORDS))
    for word, values in VALUES.items():
        assert re.findall(r"`([^`]+)`", rows[word][1]) == list(values)


def test_each_button_of_a_list_is_named() -> None:
    paragraph = README.partition("The buttons of lists and summaries are ")[2].partition(".")[0]
    assert set(re.findall(r"`([^`]+)`", paragraph)) == set(BUTTONS)


def test_each_shortcut_is_named() -> None:
    assert re.findall(r"shortcut \*([^*]+)\*", README) == [
        one["name"] for one in MANIFEST["features"]["shortcuts"]
    ]


def commands(group: typer.core.TyperGroup, before: str = "stanch") -> Iterator[tuple[str, set[str]]]:
    """Every command with its options."""
    for name, command in group.commands.items():
        if isinstance(command, typer.core.TyperGroup):
            yield from commands(command, f"{before} {name}")
        else:
            user_input = {
                option for parameter in command.params for option in parameter.opts if option[:2] == "--"
            }
            yield f"{before} {name}", user_input


def test_each_command_is_described_with_its_options() -> None:
    root = typer.main.get_command(build())
    assert isinstance(root, typer.core.TyperGroup)
    there = dict(commands(root)) | {"stanch": {"--version"}}
    told = {}
    for usage in names("command"):
        words = re.match(r"[a-z]+( [a-z]+)*", usage)
        assert words is not None
        told[words[0]] = set(re.findall(r"--[a-z-]+", usage))
    assert told == there


def test_no_page_names_a_command_that_is_not_there() -> None:
    known = {re.match(r"[a-z]+( [a-z]+)*", usage)[0] for usage in names("command")}  # type: ignore[index]  # See above.
    for page in PAGES:
        text = (ROOT / page).read_text(encoding="utf-8")
        for named in re.findall(r"`(?:\.venv/bin/)?(stanch(?: [a-z]+)+)", text):
            assert any(f"{named} ".startswith(f"{one} ") for one in known), f"{page} names {named}"
        for target in re.findall(r"(?:`|^)make ([a-z]+)", text, re.MULTILINE):
            assert target in targets(), f"{page} names make {target}"


def test_each_setting_is_described_with_its_default() -> None:
    fields = {name.upper(): field for name, field in Settings.model_fields.items()}
    assert sorted(names("variable")) == sorted(fields)
    for name, field in fields.items():
        row = described(name, table("variable"))
        if isinstance(field.default, str | int):
            assert f"`{field.default}`" in row
        if field.default is PydanticUndefined:
            assert row.endswith("required")


def options(model: type[BaseModel], before: str = "") -> Iterator[tuple[str, object]]:
    """Every option by its dotted name, with its default."""
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from options(kind, f"{before}{name}.")
        else:
            yield f"{before}{name}", field.default


def test_each_option_is_described_with_its_default() -> None:
    told = {row[0].strip("`"): row[2] for row in table("option")}
    there = {name: f"`{str(default).lower()}`" for name, default in options(Options)}
    # A table by secret type, whose default is in words.
    for name in ("checklist.SECRET_TYPE", "checklist.default"):
        assert told.pop(name)
    assert there.pop("checklist") == "`{}`"
    assert told == there


def test_the_example_of_the_options_file_is_taken() -> None:
    [example] = re.findall(r"^```toml\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    assert Options.model_validate(tomllib.loads(example)) != Options()


def test_each_metric_is_described() -> None:
    there = {
        f"{metric.name}_total" if metric.type == "counter" else metric.name
        for metric in Metrics().registry.collect()
    }
    assert set(names("metric")) == there


def routes() -> Iterator[str]:
    """Every route that the product adds."""
    for path in (ROOT / "bot").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("web.get", "web.post"):
                yield f"{ast.unparse(node.func)[4:].upper()} {ast.literal_eval(node.args[0])}"


def test_each_route_is_described() -> None:
    assert sorted(names("route")) == sorted(routes())


def test_each_scope_has_its_reason() -> None:
    assert sorted(names("scope")) == sorted(MANIFEST["oauth_config"]["scopes"]["bot"])


def test_each_event_of_slack_has_its_reason() -> None:
    assert sorted(names("event")) == sorted(MANIFEST["settings"]["event_subscriptions"]["bot_events"])


def test_stanch_listens_to_each_event_that_the_github_app_shall_subscribe_to() -> None:
    paragraph = README.partition("Subscribe to these events: ")[2].partition("\n\n")[0]
    events = re.findall(r"`([a-z_]+)`", paragraph)
    assert "secret_scanning_alert" in events
    for event in events:
        try:
            assert parse_event(event, {}) != Ignored("event_not_used"), event
        except BadDelivery:
            continue


def targets() -> list[str]:
    return re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE)


def test_each_make_target_is_described() -> None:
    assert names("target") == [f"make {target}" for target in targets()]


def anchors(text: str) -> set[str]:
    """What GitHub makes of the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)|src=\"([^\"]+)\"", text):
        path, _, anchor = (target[0] or target[1]).partition("#")
        if re.match(r"https?:", path):
            continue
        there = (ROOT / page).parent / path if path else ROOT / page
        assert there.exists(), f"{page} links to {path}"
        if anchor:
            assert anchor in anchors(there.read_text(encoding="utf-8")), f"{page} links to {target}"


def test_the_changelog_begins_with_this_version() -> None:
    versions = re.findall(r"^## \[([\d.]+)\] - \d{4}-\d\d-\d\d$", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert versions[:1] == [VERSION]
