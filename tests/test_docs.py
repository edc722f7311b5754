"""README, docs, contributor page and changelog describe all that the code has, and nothing else."""

import ast
import re
import tomllib
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

import pytest
import typer.core
import typer.main
import yaml
from prometheus_client import generate_latest
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from bot.actions import ACTIONS, MENU, MENU_LINES, READ_ACTIONS
from bot.cli.main import build
from bot.commands import SUBCOMMANDS
from bot.commands.buttons import BUTTONS
from bot.commands.help import HELP
from bot.flows.setup.steps import STEPS
from bot.inbound.github_webhooks import LARGEST
from bot.metrics import Metrics
from bot.options import Options
from bot.rules.filters import SUBSCRIPTION_WORDS, VALUES, WORDS
from bot.rules.github_app_manifest import EVENTS, PERMISSIONS
from bot.rules.rights import Need
from bot.settings import Settings
from bot.version import VERSION
from bot.views.doctor import WORDS as DOCTOR_WORDS
from bot.views.owner_message import BUTTONS as OWNER_BUTTONS
from integrations.github.errors import BadDelivery
from integrations.github.webhook_events import Ignored, parse_event
from integrations.sandbox.github.apps import DEFAULT_PERMISSIONS

ROOT = Path(__file__).parents[1]
DOCS = tuple(sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").glob("*.md")))
PAGES = (
    *("README.md", *DOCS, "docs/deploy/README.md"),
    *(".github/CONTRIBUTING.md", ".github/SECURITY.md", "CHANGELOG.md"),
)
TEXTS = {page: (ROOT / page).read_text(encoding="utf-8") for page in PAGES}
MANIFEST = yaml.safe_load((ROOT / "manifest.yml").read_text(encoding="utf-8"))
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def table(first_column: str) -> list[list[str]]:
    """The rows of the one table whose first column has this heading, as cells."""
    found = []
    for text in TEXTS.values():
        lines = text.splitlines()
        for number, line in enumerate(lines[:-1]):
            if line.startswith(f"| {first_column} |") and lines[number + 1].startswith("|---"):
                found.append(list(_cells(iter(lines[number + 2 :]))))
    assert len(found) == 1, f"{len(found)} tables describe each {first_column}; there has to be one"
    return found[0]


def _cells(rows: Iterator[str]) -> Iterator[list[str]]:
    for row in rows:
        if not row.startswith("|"):
            return
        yield [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", row)[1:-1]]


def names(first_column: str) -> list[str]:
    """Everything in code style in the first column of a table."""
    return [name for row in table(first_column) for name in re.findall(r"`([^`]+)`", row[0])]


def described(row_name: str, rows: list[list[str]]) -> str:
    """The row whose first cell has this name."""
    return " | ".join(next(row for row in rows if f"`{row_name}`" in row[0]))


def test_each_control_is_described_with_what_it_needs() -> None:
    existing = {action.id: str(action.needs) for action in ACTIONS} | {
        action.id: Need.VIEW for action in READ_ACTIONS
    }
    assert {row[0].strip("`"): row[2] for row in table("id")} == existing
    assert all(f"`{MENU}`" in described(line.id, table("id")) for line in MENU_LINES)


def test_each_answer_of_a_token_s_owner_is_described() -> None:
    rows = table("button")
    assert [row[0] for row in rows] == [f"`{name}` {label}" for name, (_, label) in OWNER_BUTTONS.items()]


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
    paragraph = TEXTS["docs/use.md"].partition("The buttons of lists and summaries are ")[2].partition(".")[0]
    assert set(re.findall(r"`([^`]+)`", paragraph)) == set(BUTTONS)


def test_each_shortcut_is_named() -> None:
    assert re.findall(r"shortcut \*([^*]+)\*", TEXTS["docs/use.md"]) == [
        one["name"] for one in MANIFEST["features"]["shortcuts"]
    ]


def commands(group: typer.core.TyperGroup, before: str = "stanch") -> Iterator[tuple[str, set[str]]]:
    """Every command with its options."""
    for name, command in group.commands.items():
        if isinstance(command, typer.core.TyperGroup):
            yield from commands(command, f"{before} {name}")
        else:
            options = {
                option for parameter in command.params for option in parameter.opts if option[:2] == "--"
            }
            yield f"{before} {name}", options


def test_each_command_is_described_with_its_options() -> None:
    root = typer.main.get_command(build())
    assert isinstance(root, typer.core.TyperGroup)
    existing = dict(commands(root)) | {"stanch": {"--version"}}
    documented = {}
    for usage in names("command"):
        words = re.match(r"[a-z]+( [a-z]+)*", usage)
        assert words is not None
        documented[words[0]] = set(re.findall(r"--[a-z-]+", usage))
    assert documented == existing


def test_no_page_names_a_command_that_does_not_exist() -> None:
    known = {re.match(r"[a-z]+( [a-z]+)*", usage)[0] for usage in names("command")}  # type: ignore[index]  # See above.
    for page, text in TEXTS.items():
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
    documented = {row[0].strip("`"): row[2] for row in table("option")}
    existing = {name: f"`{str(default).lower()}`" for name, default in options(Options)}
    # A table by secret type, whose default is in words.
    for name in ("checklist.SECRET_TYPE", "checklist.default"):
        assert documented.pop(name)
    assert existing.pop("checklist") == "`{}`"
    assert documented == existing


def test_the_example_of_an_options_file_is_valid() -> None:
    [example] = re.findall(r"^```toml\n(.*?)^```", TEXTS["docs/settings.md"], re.MULTILINE | re.DOTALL)
    assert Options.model_validate(tomllib.loads(example)) != Options()


def test_each_result_of_the_doctor_is_described() -> None:
    documented = {
        f"{row[0].strip('`')}.{word}" for row in table("check") for word in re.findall(r"`([^`]+)`", row[1])
    }
    assert documented == set(DOCTOR_WORDS)


def test_each_metric_is_described() -> None:
    existing = {
        f"{metric.name}_total" if metric.type == "counter" else metric.name
        for metric in Metrics().registry.collect()
    }
    assert set(names("metric")) == existing


def test_each_metric_has_a_help_text() -> None:
    lines = generate_latest(Metrics().registry).decode().splitlines()
    helped = {line.split()[2]: line.split(maxsplit=3)[3:] for line in lines if line.startswith("# HELP ")}
    assert {line.split()[2] for line in lines if line.startswith("# TYPE ")} == set(helped)
    assert all(text and text[0].endswith(".") for text in helped.values())


def calls() -> Iterator[ast.Call]:
    """Every call in the product's code."""
    for folder in ("bot", "integrations/github", "integrations/slack", "storage"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call):
                    yield node


def routes() -> Iterator[str]:
    """Every route that the product serves."""
    for call in calls():
        if ast.unparse(call.func) in ("web.get", "web.post"):
            yield f"{ast.unparse(call.func)[4:].upper()} {ast.literal_eval(call.args[0])}"


def test_each_route_is_described() -> None:
    assert sorted(names("route")) == sorted(routes())


def log_events() -> dict[str, set[str]]:
    """Every event that is logged at info or above, with its levels."""
    found: dict[str, set[str]] = {}
    for call in calls():
        called = ast.unparse(call.func)
        if re.fullmatch(r"log\.(info|warning|error|exception|critical)", called):
            found.setdefault(ast.literal_eval(call.args[0]), set()).add(called.removeprefix("log."))
    return found


def test_each_threat_names_tests_that_exist() -> None:
    existing = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^(?:async )?def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    tables = TEXTS["docs/security.md"].split("| threat | what stops it | test |\n|---|---|---|\n")[1:]
    rows = [row for table in tables for row in _cells(iter(table.splitlines()))]
    assert len(rows) >= 16
    for threat, _, tests in rows:
        named = re.findall(r"`(test_\w+)`", tests)
        assert named, threat
        assert set(named) <= existing, threat


def test_each_log_event_is_described_with_its_level() -> None:
    rows = {row[0].strip("`"): set(row[1].split(", ")) for row in table("log event")}
    assert rows == log_events()


def test_the_map_names_each_folder_of_code_and_no_other() -> None:
    """A folder of tests that mirrors a folder of code needs no line."""
    packages = {
        path.parent.relative_to(ROOT).as_posix()
        for top in ("bot", "integrations", "storage", "tests")
        for path in (ROOT / top).rglob("__init__.py")
    }
    mirrors = {
        package
        for package in packages
        if package.startswith("tests/")
        and packages & {package.removeprefix("tests/"), f"bot/{package.removeprefix('tests/')}"}
    }
    mapped = {name.rstrip("/") for name in names("folder")}
    assert mapped <= packages
    assert packages - mirrors <= mapped


def test_the_files_that_the_map_and_the_checklists_name_exist() -> None:
    for path in re.findall(r"`((?:bot|integrations|storage|tests)/[a-z0-9_/.]+)`", TEXTS["docs/extend.md"]):
        assert (ROOT / path).exists(), path


def test_the_names_in_the_checklists_exist() -> None:
    checklists = TEXTS["docs/extend.md"].partition("## Adding a control")[2].partition("## Golden files")[0]
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "bot").rglob("*.py"))
    for name in set(re.findall(r"`([A-Za-z_]+)`", checklists)) - {"db"}:  # A fixture.
        assert re.search(rf"\b{name}\b", code), name


def test_each_page_is_linked_from_the_readme() -> None:
    assert set(re.findall(r"\]\((docs/[a-z]+\.md)\)", TEXTS["README.md"])) == set(DOCS)


def test_each_permission_of_the_github_app_is_described_as_the_set_up_asks_for_it() -> None:
    rows = [
        (*re.fullmatch(r"(.+), `([a-z_]+)`", row[0]).groups(), row[1].removesuffix(", optional"), row[2])  # type: ignore[union-attr]  # A row of another form fails here.
        for row in table("permission")
    ]
    assert [row[:3] for row in rows] == [(one.title, one.name, one.access) for one in PERMISSIONS]
    assert all(row[3].startswith(one.reason) for row, one in zip(rows, PERMISSIONS, strict=True))
    assert {one.name: one.access for one in PERMISSIONS if one.asked} == DEFAULT_PERMISSIONS
    optional = [one.name for one in PERMISSIONS if not one.required]
    assert [
        row[1] for row, cells in zip(rows, table("permission"), strict=True) if "optional" in cells[1]
    ] == optional


def test_each_step_of_the_set_up_is_described_in_its_order() -> None:
    assert [row[0] for row in table("step of set-up")] == [step.title for step in STEPS]


def test_each_scope_has_its_reason() -> None:
    scopes = MANIFEST["oauth_config"]["scopes"]
    assert sorted(names("scope")) == sorted([*scopes["bot"], *scopes["bot_optional"]])
    for scope in scopes["bot_optional"]:
        assert "optional" in described(scope, table("scope"))


def test_each_event_of_slack_has_its_reason() -> None:
    assert sorted(names("event")) == sorted(MANIFEST["settings"]["event_subscriptions"]["bot_events"])


def test_stanch_uses_each_event_that_the_github_app_subscribes_to() -> None:
    paragraph = TEXTS["docs/install.md"].partition("Subscribe to these events: ")[2].partition("\n\n")[0]
    events = re.findall(r"`([a-z_]+)`", paragraph)
    assert sorted(events) == sorted(EVENTS)
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
    """The anchors that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_pages_and_headings_that_exist(page: str) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)|src=\"([^\"]+)\"", TEXTS[page]):
        path, _, anchor = (target[0] or target[1]).partition("#")
        if re.match(r"https?:", path):
            continue
        there = (ROOT / page).parent / path if path else ROOT / page
        assert there.exists(), f"{page} links to {path}"
        if anchor:
            assert anchor in anchors(there.read_text(encoding="utf-8")), f"{page} links to {target}"


def test_ci_runs_on_the_oldest_and_the_newest_python() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    pythons = workflow["jobs"]["run"]["strategy"]["matrix"]["python"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    newest = re.findall(r"^PYTHON \?= /usr/bin/python3 python3 python(3\.\d+)", MAKEFILE, re.MULTILINE)[0]
    assert pythons == [project["requires-python"].removeprefix(">="), newest]


def test_the_changelog_begins_with_this_version() -> None:
    versions = re.findall(r"^## \[([\d.]+)\] - \d{4}-\d\d-\d\d$", TEXTS["CHANGELOG.md"], re.M)
    assert versions[:1] == [VERSION]


def run_by_tests() -> set[tuple[str, ...]]:
    """Every series of words in a call, tuple or list of a test, as the words of a command stand there."""
    found = set()
    for path in (ROOT / "tests").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            inside = node.args if isinstance(node, ast.Call) else getattr(node, "elts", [])
            words = [one.value if isinstance(one, ast.Constant) else None for one in inside]
            for start in range(len(words)):
                found.add(tuple(map(str, takewhile(lambda word: isinstance(word, str), words[start:]))))
    return found


def words_of(usage: str) -> tuple[str, ...]:
    """The words of a command: `stanch audit verify [--head HASH]` has two."""
    return tuple(re.findall(r" ([a-z]+|--version)(?=[ /]|$)", usage.partition(" [")[0]))


def test_each_command_runs_in_a_test() -> None:
    series = run_by_tests()
    for usage in names("command"):
        words = words_of(usage)
        assert any(one[: len(words)] == words for one in series), usage
    for target in targets():
        assert any(one[:1] == (target,) for one in series), target


def test_each_command_in_a_block_is_described_with_its_options() -> None:
    options = {words_of(usage): set(re.findall(r"--[a-z-]+", usage)) for usage in names("command")}
    for page, text in TEXTS.items():
        for line in re.findall(r"^ *(?:\.venv/bin/)?(stanch .+)$", "".join(blocks(text)), re.MULTILINE):
            found = [words for words in options if words_of(line)[: len(words)] == words]
            assert found, f"{page}: {line}"
            assert set(re.findall(r"--[a-z-]+", line)) <= options[max(found, key=len)], f"{page}: {line}"


def blocks(text: str) -> list[str]:
    """The blocks of shell commands of a page."""
    return re.findall(r"^ *```sh\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)


def test_each_variable_in_a_recipe_exists() -> None:
    known = {name.upper() for name in Settings.model_fields} | {"HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE"}
    named = re.findall(r"\b((?:[A-Z]+_)+[A-Z]+)\b", TEXTS["docs/recipes.md"].replace("PIP_INDEX_URL", ""))
    assert set(named) <= known
    assert "DATABASE_URL_NEW" in named


def test_the_web_server_of_the_recipes_passes_on_all_that_is_sent_and_logs_no_sign_in() -> None:
    [block] = re.findall(r"^```nginx\n(.*?)^```", TEXTS["docs/recipes.md"], re.MULTILINE | re.DOTALL)
    passed = dict(re.findall(r"location = (\S+) +\{ (.*?) \}", block))
    inside = {"/healthz", "/readyz", "/metrics"}
    assert sorted(passed) == sorted({route.split()[1] for route in routes()} - inside)
    assert all("access_log off" in passed[path] for path in ("/github/link", "/github/callback"))
    assert int(re.findall(r"client_max_body_size (\d+)m;", block)[0]) * 2**20 == LARGEST


def test_each_test_that_a_page_names_exists() -> None:
    named = {name for text in TEXTS.values() for name in re.findall(r"`(tests/[\w/]+\.py(?:::\w+)?)`", text)}
    assert len(named) > 40
    for name in named:
        path, _, function = name.partition("::")
        assert (ROOT / path).is_file(), name
        assert not function or f"def {function}(" in (ROOT / path).read_text(encoding="utf-8"), name
