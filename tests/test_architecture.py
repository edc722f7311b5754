"""The house rules that a machine can check; who may import whom is in pyproject.toml, for `lint-imports`."""

import ast
import graphlib
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import distributions, packages_distributions
from pathlib import Path
from typing import TypeAlias

import grimp
import pytest

from tests.uncovered import read_names

ROOT = Path(__file__).parents[1]
PRODUCT = ("bot", "integrations", "storage")
MIGRATIONS = "storage/migrations/versions"
LONGEST_MODULE, LONGEST_FUNCTION = 300, 50

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


def modules(*folders: str) -> Iterator[tuple[str, str]]:
    """Path and source of every module below the folders."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")


def nodes(*folders: str) -> Iterator[tuple[str, ast.AST]]:
    """Path and every node of every module below the folders."""
    for path, source in modules(*folders):
        for node in nodes_of(source):
            yield path, node


@cache
def tree_of(source: str) -> ast.Module:
    return ast.parse(source)


@cache
def nodes_of(source: str) -> list[ast.AST]:
    return list(ast.walk(tree_of(source)))


def calls(*folders: str) -> Iterator[tuple[str, str]]:
    """`path:line` and the dotted name of everything called below the folders."""
    for path, node in nodes(*folders):
        if isinstance(node, ast.Call):
            yield f"{path}:{node.lineno}", ast.unparse(node.func)


def project_files() -> list[Path]:
    """Every file of the project, as git knows it."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            check=True,
            text=True,
        )
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this is no git checkout, so nobody knows which files are the project's")
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def body_length(function: Function) -> int:
    """Lines of a function without its signature and its docstring."""
    first = 1 if ast.get_docstring(function) is not None and len(function.body) > 1 else 0
    return (function.end_lineno or 0) - function.body[first].lineno + 1


def nothing(found: list[str], advice: str) -> None:
    """Fail with every place found, and with what to do about them."""
    assert not found, "\n".join((advice, *(f"  {place}" for place in found)))


def test_modules_are_short() -> None:
    long = [
        f"{path}: {lines} lines"
        for path, source in modules(*PRODUCT)
        # A migration is one step, and is never changed afterwards.
        if not path.startswith(MIGRATIONS) and (lines := len(source.splitlines())) >= LONGEST_MODULE
    ]
    nothing(long, f"Look for the second idea in what has {LONGEST_MODULE} lines or more, and move it out:")


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Imports for type checkers alone count too: who reads one module of a circle has to read them all."""
    graph = grimp.build_graph(*PRODUCT, cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    try:
        graphlib.TopologicalSorter(imports).prepare()
    except graphlib.CycleError as circle:
        nothing([" <- ".join(circle.args[1])], "Move what both sides need below them, and break this circle:")


def test_functions_are_short() -> None:
    long = [
        f"{path}:{node.lineno} {node.name}: {lines} lines"
        for path, node in nodes(*PRODUCT)
        if isinstance(node, Function) and not path.startswith(MIGRATIONS)
        if (lines := body_length(node)) >= LONGEST_FUNCTION
    ]
    nothing(long, f"Give the steps of functions with {LONGEST_FUNCTION} lines or more their own names:")


def test_modules_are_named_after_what_they_hold() -> None:
    empty_words = ("util", "helper", "common", "manager", "misc", "base_")
    found = [
        path.relative_to(ROOT).as_posix()
        for path in project_files()
        if path.suffix == ".py" and path.stem.startswith(empty_words)
    ]
    nothing(found, "Name these by a noun that users know; what fits under none of them has another home:")


def test_no_two_classes_have_the_same_name() -> None:
    defined: dict[str, list[str]] = {}
    for path, node in nodes(*PRODUCT):
        if isinstance(node, ast.ClassDef):
            defined.setdefault(node.name, []).append(f"{path}:{node.lineno}")
    found = [f"{name}: {', '.join(places)}" for name, places in sorted(defined.items()) if len(places) > 1]
    nothing(found, "Give one of each of these classes a name of its own:")


def test_each_module_says_in_a_sentence_what_it_is_for() -> None:
    found = []
    for path, source in modules(*PRODUCT, "tests"):
        if not source.strip():
            continue
        docstring = ast.get_docstring(tree_of(source)) or ""
        first, _, rest = docstring.partition("\n")
        if not re.fullmatch(r".*[.?]", first) or (rest and not rest.startswith("\n")):
            found.append(path)
    nothing(found, "Begin these with a docstring: one sentence on one line, what the module is for:")


def test_the_environment_is_read_in_one_place() -> None:
    found = []
    for path, node in nodes(*PRODUCT):
        names = ast.unparse(node) if isinstance(node, ast.Attribute) else ""
        if isinstance(node, ast.ImportFrom) and node.module == "os":
            names = " ".join(f"os.{alias.name}" for alias in node.names)
        if re.search(r"\bos\.(environb?|getenvb?)\b", names) and path != "bot/settings.py":
            found.append(f"{path}:{node.lineno}")  # type: ignore[attr-defined]  # Both kinds of node have a line.
    nothing(found, "Read these from bot.settings.Settings; nothing else looks at the environment:")


def test_time_comes_from_the_clock() -> None:
    real_time = re.compile(
        r"(datetime|date)\.(now|utcnow|today)|(time\.)?(time|monotonic|time_ns)|(asyncio|time)\.sleep"
    )
    found = [
        f"{place} {name}()"
        for place, name in calls("bot", "storage")
        if real_time.fullmatch(name) and not place.startswith("storage/clock.py:")
    ]
    nothing(found, "Ask the clock for the time, and let it wait, so that tests can move both:")


def test_each_function_that_is_listed_as_uncovered_exists() -> None:
    listed = read_names("uncovered") | read_names("gap")
    found = sorted(listed - set(functions(*PRODUCT)))
    nothing(found, "Leave these out of tests/uncovered.toml:")


def functions(*folders: str) -> Iterator[str]:
    """`path::function` of every function below the folders, and `path::` of each module, as coverage names them."""

    def inside(node: ast.AST, before: str) -> Iterator[str]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, Function | ast.ClassDef):
                name = f"{before}{child.name}"
                if isinstance(child, Function):
                    yield name
                yield from inside(child, f"{name}.")
            else:
                yield from inside(child, before)

    for path, source in modules(*folders):
        yield f"{path}::"
        yield from (f"{path}::{name}" for name in inside(tree_of(source), ""))


def test_importing_a_module_does_nothing() -> None:
    declared_by_calls = (
        "storage/migrations/env.py",  # Alembic runs it by importing it.
        *("storage/tables.py", "storage/people_tables.py", "storage/partial_indexes.py"),  # And triggers.
    )
    found = []
    for path, source in modules(*PRODUCT):
        for statement in tree_of(source).body:
            works = isinstance(statement, ast.For | ast.AsyncFor | ast.While | ast.With | ast.AsyncWith)
            calls_something = isinstance(statement, ast.Expr) and not isinstance(
                statement.value, ast.Constant
            )
            if (works or calls_something) and path not in declared_by_calls:
                found.append(f"{path}:{statement.lineno}")
    nothing(found, "Work belongs into functions, and registries are visible tuples; move these:")


def test_everything_unexpected_ends_in_one_place_per_edge() -> None:
    found = []
    for path, node in nodes(*PRODUCT):
        if not isinstance(node, ast.ExceptHandler) or path.startswith(("bot/inbound/", "bot/jobs/")):
            continue
        catches_all = node.type is None or ast.unparse(node.type) in ("Exception", "BaseException")
        raises_again = any(isinstance(inner, ast.Raise) and inner.exc is None for inner in ast.walk(node))
        if catches_all and not raises_again:
            found.append(f"{path}:{node.lineno}")
    nothing(found, "Catch what can happen by name; only an edge catches everything:")


def test_what_the_log_is_told_holds_no_payload() -> None:
    hidden = {"body", "payload", "text", "token", "literal", "secret", "headers", "comment", "response_url"}
    found = []
    for path, node in nodes(*PRODUCT):
        if not isinstance(node, ast.Call) or not re.match(r"_?log(ger)?\.", ast.unparse(node.func)):
            continue
        names = {keyword.arg for keyword in node.keywords} & hidden
        found += [f"{path}:{node.lineno} {name}" for name in sorted(filter(None, names))]
    nothing(found, "Log ids and outcomes, never what was sent or said:")


def test_a_literal_is_revealed_only_where_it_is_needed() -> None:
    allowed = (
        "bot/actions/token_uses.py",  # Its hash, for the search of GitHub's audit log.
        "bot/flows/people/sealed_tokens.py",  # A person's tokens, to encrypt them.
        "bot/flows/setup/github_app.py",  # The new App's key and secrets, to write them to their files.
        "integrations/github/client.py",  # The token of a call, in the Authorization header.
        "integrations/github/oauth.py",  # Codes, tokens and the client secret, in the body of a call.
        "integrations/github/revocation.py",
        "integrations/github/token_format.py",
    )
    found = [
        place for place, name in calls(*PRODUCT) if name.endswith(".reveal") and not place.startswith(allowed)
    ]
    nothing(found, "Pass the Literal on as it is; only those who judge or send it look inside:")


def test_what_silences_a_check_gives_its_reason() -> None:
    marker = re.compile(
        r"#\s*(?P<what>noqa(:\s*[A-Z0-9, ]+)?|type:\s*ignore(\[[\w, -]+\])?|pragma:\s*no\s*cover)(?P<rest>.*)"
    )
    found = []
    for path, source in modules(*PRODUCT, "tests"):
        for number, line in enumerate(source.splitlines(), 1):
            if silenced := marker.search(line):
                coded = "[" in silenced["what"] or ":" in silenced["what"]
                reasoned = re.match(r"\s*(-|#)\s*\w+", silenced["rest"])
                if not (coded and reasoned):
                    found.append(f"{path}:{number} {line.strip()}")
    nothing(found, "Name the check and say why it is wrong here, as `# noqa: CODE - reason`:")


def test_tests_fake_the_far_side_and_never_our_own_functions() -> None:
    patches = re.compile(r"unittest\.mock|\bmocker\.|mock\.patch|(Magic|Async)Mock|monkeypatch\.setattr")
    found = [
        f"{path}:{number}"
        for path, source in modules("tests")
        if path != "tests/test_architecture.py"
        for number, line in enumerate(source.splitlines(), 1)
        if patches.search(line)
    ]
    nothing(found, "Let the sandbox or a real database play the other side instead:")


def test_no_file_names_a_place_that_only_one_machine_has() -> None:
    # Put together here, so that this file does not hold what it looks for.
    hosts = (
        "pypi" + ".org",
        "pythonhosted" + ".org",
        "npmjs" + ".org",
        "npmjs" + ".com",
        "deb.debian" + ".org",
    )
    places = re.compile(
        "|".join(re.escape(host) for host in hosts) + r"|(?<![\w.-])/(work|root|home/\w+)" + "/"
    )
    found = []
    for path in project_files():
        text = path.read_bytes().decode("utf-8", "replace")
        if match := places.search(text):
            line = text.count("\n", 0, match.start()) + 1
            found.append(f"{path.relative_to(ROOT)}:{line} {match[0]}")
    nothing(found, "Leave the registry to whoever installs, and make these paths relative:")


def test_everything_that_is_installed_is_pinned() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    installed = {canonical(found.metadata["Name"]): found.version for found in distributions()}
    other = [
        f"{name} {pin}, installed {there}"
        for name, pin in pins.items()
        if (there := installed.get(canonical(name), "not at all")) != pin
    ]
    nothing(other, "Run make setup; if these were changed on purpose, write pip freeze into constraints.txt:")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    names = packages_of([*project["dependencies"], *extras["demo"], *extras["dev"]]) - {"stanch"}
    nothing(sorted(names - set(map(canonical, pins))), "Pin these in constraints.txt:")


def canonical(name: str) -> str:
    """A package's name as its index compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def packages_of(requirements: list[str]) -> set[str]:
    """The names of the packages that these requirements ask for."""
    return {canonical(re.split(r"[\[<>=!~; ]", requirement)[0]) for requirement in requirements}


def test_everything_that_is_imported_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    production = packages_of(project["dependencies"])
    sandbox = production | packages_of(project["optional-dependencies"]["demo"])
    packages = packages_distributions()
    known = {*PRODUCT, *sys.stdlib_module_names, "_typeshed"}  # The last is for type checkers alone.
    found = set()
    for path, node in nodes(*PRODUCT):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module]
        declared = sandbox if path.startswith("integrations/sandbox/") else production
        for name in {name.partition(".")[0] for name in names} - known:
            if not declared & {canonical(package) for package in packages.get(name, ())}:
                found.add(f"{name} in {path}")
    nothing(
        sorted(found),
        "Add these to the dependencies in pyproject.toml, or the sandbox's to the extra [demo]:",
    )
