"""The files of docs/deploy name settings, routes, ports, commands and metrics that exist, and run nothing as root."""

import ast
import json
import os
import re
import shlex
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import typer.core
import typer.main
import yaml

from bot.app import Role
from bot.cli.main import build
from bot.metrics import Metrics
from bot.options import Options
from bot.settings import Settings
from bot.version import VERSION
from storage.records import AlertState, JobState

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "docs/deploy"
FILES = {
    path.relative_to(DEPLOY).as_posix(): path.read_text(encoding="utf-8")
    for path in sorted(DEPLOY.rglob("*"))
    if path.is_file() and path.name not in (".env", "app.pem")  # An operator's own.
}
SETTINGS = {name.upper() for name in Settings.model_fields}
IMAGE = f"stanch:{VERSION}"
PORT = 3000
STOPS_WITHIN = 10
"""Seconds that `stanch serve` takes at most to stop."""


def instructions(stage: int) -> list[tuple[str, str]]:
    """The instructions of a stage of the Dockerfile, as word and rest."""
    lines = [line for line in FILES["Dockerfile"].splitlines() if line and not line.startswith("#")]
    assert not any(line.endswith("\\") for line in lines), "keep each instruction on one line"
    found: list[list[tuple[str, str]]] = []
    for line in lines:
        word, _, rest = line.partition(" ")
        if word == "FROM":
            found.append([])
        found[-1].append((word, rest))
    return found[stage]


def image(word: str) -> str:
    """What the last stage says behind this word, which it has once."""
    [rest] = [rest for found, rest in instructions(-1) if found == word]
    return rest


COMPOSE: dict[str, Any] = yaml.safe_load(FILES["compose.yaml"])
STANCH_SERVICES = ("web", "worker")
OBJECTS: list[dict[str, Any]] = [
    found
    for name, text in FILES.items()
    if name.startswith("kubernetes/") and not name.endswith("kustomization.yaml")
    for found in yaml.safe_load_all(text)
]


def objects(kind: str) -> dict[str, dict[str, Any]]:
    """The Kubernetes objects of a kind by their names."""
    return {found["metadata"]["name"]: found for found in OBJECTS if found["kind"] == kind}


PODS: dict[str, dict[str, Any]] = {
    name.removeprefix("stanch-"): found["spec"]["template"]["spec"]
    for name, found in objects("Deployment").items()
}


def container(role: str) -> dict[str, Any]:
    """The only container of a role's pods."""
    [found] = PODS[role]["containers"]
    return dict(found)


def routes() -> set[str]:
    """The paths that Stanch serves."""
    source = ast.parse((ROOT / "bot/inbound/routes.py").read_text(encoding="utf-8"))
    return {
        ast.literal_eval(call.args[0])
        for call in ast.walk(source)
        if isinstance(call, ast.Call) and ast.unparse(call.func) in ("web.get", "web.post")
    }


def check_serve(words: list[str]) -> str:
    """The role with which these words of the command start a process; AssertionError if they are wrong usage."""
    assert words[0] == "serve"
    root = typer.main.get_command(build())
    assert isinstance(root, typer.core.TyperGroup)
    context = root.commands["serve"].make_context("serve", words[1:])
    return str(Role(context.params["role"]))


def test_the_image_of_this_version_is_used_everywhere() -> None:
    assert {COMPOSE["services"][name]["image"] for name in STANCH_SERVICES} == {IMAGE}
    assert {container(role)["image"] for role in PODS} == {IMAGE}
    named = {found for text in FILES.values() for found in re.findall(r"\bstanch:\d[\w.-]*", text)}
    assert named == {IMAGE}


def test_images_are_pinned_by_tag_and_named_without_a_host() -> None:
    used = [rest.split()[0] for stage in (0, 1) for word, rest in instructions(stage) if word == "FROM"]
    used += [service["image"] for service in COMPOSE["services"].values()]
    used += [container(role)["image"] for role in PODS]
    for name in used:
        assert re.fullmatch(r"[a-z]+:\d[\w.-]+", name), name
    assert used[0] == used[1], "the packages are built for the Python of the last stage"


def test_the_image_s_python_is_supported() -> None:
    [found] = set(re.findall(r"^FROM python:3\.(\d+)-", FILES["Dockerfile"], re.MULTILINE))
    oldest, newest = re.findall(
        r'"3\.(\d+)"', (ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8")
    )
    assert int(oldest) <= int(found) <= int(newest)


def test_the_image_copies_what_exists_and_what_the_package_needs() -> None:
    copied = [rest.split()[:-1] for word, rest in instructions(0) if word == "COPY"]
    names = {name for group in copied for name in group}
    assert all((ROOT / name).exists() for name in names)
    ignored = FILES["Dockerfile.dockerignore"].splitlines()
    assert ignored[1] == "*"
    assert {line[1:] for line in ignored if line.startswith("!")} == names
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    [packages] = re.findall(r"^packages = (\[.*\])", project, re.MULTILINE)
    assert {
        *json.loads(packages),
        *("LICENSE", "README.md", "manifest.yml", "pyproject.toml", "constraints.txt"),
    } == names


def test_every_install_into_the_image_uses_the_pinned_versions() -> None:
    for word, rest in instructions(0):
        if word == "RUN" and "pip" in rest and " install " in rest:
            assert "-c constraints.txt" in rest


def test_the_image_serves_on_its_port_and_not_as_root() -> None:
    user, _, group = image("USER").partition(":")
    assert int(user) == int(group) > 0
    environment = dict(pair.split("=", 1) for pair in shlex.split(image("ENV")))
    assert set(environment) - {"PATH", "PYTHONDONTWRITEBYTECODE"} <= SETTINGS
    assert environment["PORT"] == image("EXPOSE") == str(PORT)
    assert environment["HOST"] == "0.0.0.0"
    assert json.loads(image("ENTRYPOINT")) == ["stanch"]
    assert check_serve(json.loads(image("CMD"))) == Role.ALL
    assert not [rest for word, rest in instructions(-1) if word in ("ARG", "VOLUME")]


class _Health(BaseHTTPRequestHandler):
    """Answers `/healthz` with a status that the test sets."""

    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status if self.path == "/healthz" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def health() -> Iterator[HTTPServer]:
    _Health.status = 200
    server = HTTPServer(("127.0.0.1", 0), _Health)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_health_check_of_the_image_asks_this_process_and_no_proxy(health: HTTPServer) -> None:
    python, *words = json.loads(image("HEALTHCHECK").partition(" CMD ")[2])
    assert python == "python"

    def status() -> int:
        environment = {"PORT": str(health.server_port), "HTTP_PROXY": "http://127.0.0.1:9"}
        run = subprocess.run(
            [sys.executable, *words], check=False, env={**os.environ, **environment}, capture_output=True
        )
        return run.returncode

    assert "/healthz" in routes()
    assert status() == 0
    _Health.status = 503
    assert status() != 0
    health.shutdown()
    health.server_close()
    assert status() != 0


def test_the_example_of_the_settings_names_settings_alone() -> None:
    lines = [line for line in FILES["env.example"].splitlines() if line and not line.startswith("#")]
    names = [line.partition("=")[0] for line in lines]
    assert len(set(names)) == len(names)
    assert set(names) - {"POSTGRES_PASSWORD"} <= SETTINGS
    required = {name.upper() for name, field in Settings.model_fields.items() if field.is_required()}
    assert required <= set(names)
    # Neither Compose, nor kubectl, nor dotenv may read another value than the others.
    assert not any(re.search(r"=.*[\s\"'$#]", line) for line in lines)


def test_compose_sets_only_settings_that_exist() -> None:
    for name in STANCH_SERVICES:
        service = COMPOSE["services"][name]
        assert set(service["environment"]) <= SETTINGS
        assert service["env_file"] == ".env"
        assert service["environment"]["PORT"] == str(PORT)


def test_compose_has_web_and_worker_apart_hardened_and_only_the_web_on_this_machine_s_port() -> None:
    services = COMPOSE["services"]
    assert {name: check_serve(services[name]["command"]) for name in STANCH_SERVICES} == {
        "web": Role.WEB,
        "worker": Role.WORKER,
    }
    for name in STANCH_SERVICES:
        service = services[name]
        assert service["user"] == image("USER")
        # Two services that build one tag at once fail on the first build: "image … already exists".
        assert (service.get("build"), service["pull_policy"]) == (None, "never")
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert "privileged" not in service
        assert int(service["stop_grace_period"].removesuffix("s")) > STOPS_WITHIN
        assert service["depends_on"] == {"database": {"condition": "service_healthy"}}
    assert {name: service["ports"] for name, service in services.items() if "ports" in service} == {
        "web": [f"127.0.0.1:{PORT}:{PORT}"]
    }


def test_compose_gives_the_database_only_its_own_password() -> None:
    database = COMPOSE["services"]["database"]
    assert "env_file" not in database
    assert "secrets" not in database
    url = COMPOSE["services"]["web"]["environment"]["DATABASE_URL"]
    user, host, name = re.findall(
        r"^postgresql\+asyncpg://(\w+):\$\{POSTGRES_PASSWORD:.*\}@(\w+)/(\w+)$", url
    )[0]
    assert host in COMPOSE["services"]
    assert (user, name) == (database["environment"]["POSTGRES_USER"], database["environment"]["POSTGRES_DB"])
    assert database["volumes"][0].partition(":")[0] in COMPOSE["volumes"]


def test_compose_mounts_what_its_settings_name() -> None:
    for name in STANCH_SERVICES:
        service = COMPOSE["services"][name]
        secrets = {f"/run/secrets/{secret}" for secret in service["secrets"]}
        mounted = {volume.split(":")[1] for volume in service["volumes"]}
        assert set(service["secrets"]) <= set(COMPOSE["secrets"])
        assert service["environment"]["GITHUB_APP_PRIVATE_KEY"] in secrets
        assert service["environment"]["STANCH_CONFIG"] in mounted
        assert all(volume.endswith(":ro") for volume in service["volumes"])


def test_the_empty_options_are_the_defaults() -> None:
    inline = objects("ConfigMap")["stanch-options"]["data"]["stanch.toml"]
    for text in (FILES["stanch.toml"], inline):
        assert Options.model_validate(tomllib.loads(text)) == Options()


def unit() -> dict[str, dict[str, list[str]]]:
    """The sections of the systemd unit; a key may come several times."""
    found: dict[str, dict[str, list[str]]] = {}
    section = ""
    for line in FILES["stanch.service"].splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            key, separator, value = line.partition("=")
            assert separator, line
            found.setdefault(section, {}).setdefault(key, []).append(value)
    return found


def test_the_unit_serves_as_a_user_without_rights_on_read_only_files() -> None:
    service = unit()["Service"]
    assert service["User"] == service["Group"] == ["stanch"]
    command, *words = shlex.split(service["ExecStart"][0])
    assert command.endswith("/.venv/bin/stanch")
    assert check_serve(words) == Role.ALL
    assert service["ProtectSystem"] == ["strict"]
    assert service["CapabilityBoundingSet"] == service["AmbientCapabilities"] == [""]
    for key in ("NoNewPrivileges", "ProtectHome", "PrivateTmp", "PrivateDevices", "MemoryDenyWriteExecute"):
        assert service[key] == ["yes"], key
    assert int(service["TimeoutStopSec"][0]) > STOPS_WITHIN
    names = [pair.partition("=")[0] for pair in service["Environment"]]
    assert set(names) - {"PYTHONDONTWRITEBYTECODE"} <= SETTINGS


def test_the_unit_may_write_where_the_example_of_the_settings_has_the_database() -> None:
    service = unit()["Service"]
    [url] = re.findall(r"^DATABASE_URL=(.*)$", FILES["env.example"], re.MULTILINE)
    assert url.startswith(f"sqlite+aiosqlite:////var/lib/{service['StateDirectory'][0]}/")
    [key] = re.findall(r"^GITHUB_APP_PRIVATE_KEY=(.*)$", FILES["env.example"], re.MULTILINE)
    assert Path(key).parent == Path(service["WorkingDirectory"][0])


def test_kubernetes_lists_each_manifest() -> None:
    manifests = {name.removeprefix("kubernetes/") for name in FILES if name.startswith("kubernetes/")}
    listed = yaml.safe_load(FILES["kubernetes/kustomization.yaml"])["resources"]
    assert {*listed, "kustomization.yaml"} == manifests


def test_kubernetes_has_web_and_worker_apart() -> None:
    assert {role: check_serve(container(role)["args"]) for role in PODS} == {
        "web": Role.WEB,
        "worker": Role.WORKER,
    }
    for found in objects("Deployment").values():
        labels = found["spec"]["template"]["metadata"]["labels"]
        assert found["spec"]["selector"]["matchLabels"] == labels
    web = objects("Deployment")["stanch-web"]["spec"]["selector"]["matchLabels"]
    assert objects("Service")["stanch"]["spec"]["selector"] == web
    assert objects("PodDisruptionBudget")["stanch-web"]["spec"]["selector"]["matchLabels"] == web
    assert objects("Deployment")["stanch-worker"]["spec"]["selector"]["matchLabels"] != web


@pytest.mark.parametrize("role", sorted(PODS))
def test_a_pod_runs_without_rights_on_a_read_only_root(role: str) -> None:
    pod, security = PODS[role], container(role)["securityContext"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert f"{pod['securityContext']['runAsUser']}:{pod['securityContext']['runAsGroup']}" == image("USER")
    assert pod["securityContext"]["fsGroup"] == pod["securityContext"]["runAsGroup"]
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert security == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod["automountServiceAccountToken"] is False
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)
    # A Service named stanch adds STANCH_PORT and others, of which the start would warn.
    assert pod["enableServiceLinks"] is False


@pytest.mark.parametrize("role", sorted(PODS))
def test_a_pod_is_probed_at_paths_and_ports_that_exist_and_may_stop_in_time(role: str) -> None:
    pod, found = PODS[role], container(role)
    assert found["ports"] == [{"name": "http", "containerPort": PORT}]
    probed = {name.removesuffix("Probe"): found[name]["httpGet"] for name in found if name.endswith("Probe")}
    assert {name: get["path"] for name, get in probed.items()} == {
        "startup": "/healthz",
        "liveness": "/healthz",
        "readiness": "/readyz",
    }
    assert {get["path"] for get in probed.values()} <= routes()
    assert {get["port"] for get in probed.values()} == {"http"}
    pause = found.get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command", ["sleep", "0"])
    assert pod["terminationGracePeriodSeconds"] > int(pause[1]) + STOPS_WITHIN
    annotations = objects("Deployment")[f"stanch-{role}"]["spec"]["template"]["metadata"]["annotations"]
    assert annotations["prometheus.io/path"] in routes()
    assert annotations["prometheus.io/port"] == str(PORT)


@pytest.mark.parametrize("role", sorted(PODS))
def test_a_pod_gets_its_secrets_by_reference_and_mounts_what_its_settings_name(role: str) -> None:
    pod, found = PODS[role], container(role)
    assert found["envFrom"] == [{"secretRef": {"name": "stanch"}}]
    values = {each["name"]: each["value"] for each in found["env"]}
    assert set(values) <= SETTINGS
    assert values["PORT"] == str(PORT)
    secret_or_database = ("TOKEN", "SECRET", "KEYS", "AUDIT_KEY", "DATABASE_URL")
    assert not [name for name in values if name.endswith(secret_or_database)]
    assert not objects("Secret"), "a Secret in a file would be kept in git"
    mounts = {mount["mountPath"]: mount["name"] for mount in found["volumeMounts"]}
    assert all(mount["readOnly"] for mount in found["volumeMounts"])
    assert set(mounts.values()) == {volume["name"] for volume in pod["volumes"]}
    for name in ("GITHUB_APP_PRIVATE_KEY", "STANCH_CONFIG"):
        assert os.path.dirname(values[name]) in mounts, name
    made = re.findall(r"create secret generic (\S+) --from-(?:env-)?file=(\S+)", FILES["README.md"])
    used = {volume["secret"]["secretName"] for volume in pod["volumes"] if "secret" in volume}
    assert {name for name, _ in made} == used | {found["envFrom"][0]["secretRef"]["name"]}
    assert os.path.basename(values["GITHUB_APP_PRIVATE_KEY"]) in {file for _, file in made}
    [options] = [volume["configMap"]["name"] for volume in pod["volumes"] if "configMap" in volume]
    assert os.path.basename(values["STANCH_CONFIG"]) in objects("ConfigMap")[options]["data"]


def test_kubernetes_lets_in_only_what_comes_from_outside() -> None:
    [rule] = objects("Ingress")["stanch"]["spec"]["rules"]
    inside = {"/healthz", "/readyz", "/metrics"}
    assert {path["path"] for path in rule["http"]["paths"]} == routes() - inside
    service = objects("Service")["stanch"]["spec"]
    assert [(port["name"], port["targetPort"]) for port in service["ports"]] == [("http", "http")]
    for path in rule["http"]["paths"]:
        assert path["backend"]["service"] == {"name": "stanch", "port": {"name": "http"}}


DASHBOARD: dict[str, Any] = json.loads(FILES["grafana.json"])
QUERIES = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]


def labels() -> dict[str, set[str]]:
    """The labels of each metric, by the name under which Prometheus has it."""
    source = ast.parse((ROOT / "bot/metrics.py").read_text(encoding="utf-8"))
    found = {}
    for call in ast.walk(source):
        if isinstance(call, ast.Call) and ast.unparse(call.func) in ("counter", "gauge"):
            name, _, *names = map(ast.literal_eval, call.args)
            found[f"{name}_total" if ast.unparse(call.func) == "counter" else name] = set(names)
    return found


def test_the_dashboard_shows_each_metric_and_no_other() -> None:
    existing = {
        f"{metric.name}_total" if metric.type == "counter" else metric.name
        for metric in Metrics().registry.collect()
    }
    assert existing == set(labels())
    assert {name for query in QUERIES for name in re.findall(r"\bstanch_\w+", query)} == existing
    [variable] = [each for each in DASHBOARD["templating"]["list"] if each["name"] == "job"]
    assert set(re.findall(r"\bstanch_\w+", variable["query"]["query"])) <= existing


def test_the_dashboard_uses_labels_and_states_that_exist() -> None:
    states = {"stanch_jobs": set(map(str, JobState)), "stanch_alerts": set(map(str, AlertState))}
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            query = target["expr"]
            [(name, selector)] = re.findall(r"\b(stanch_\w+|up)\{(.*?)\}", query)
            known = labels().get(name, set())
            grouped = {word for by in re.findall(r"by \((.*?)\)", query) for word in by.split(", ")}
            assert grouped == set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= known, query
            matched = dict(re.findall(r'(\w+)=~?"([^"]*)"', selector))
            assert matched.pop("job") == "$job"
            assert set(matched) <= known, query
            for value in matched.get("state", "").split("|"):
                assert not value or value in states[name], query


def test_the_dashboard_adds_up_counters_and_takes_the_largest_of_gauges() -> None:
    """Each process reads the gauges from the same database."""
    for query in QUERIES:
        if "stanch_" in query:
            counts = bool(re.search(r"stanch_\w+_total", query))
            assert query.startswith("sum " if counts else "max"), query
            assert bool(re.search(r"\b(rate|increase)\(", query)) == counts, query


def test_the_dashboard_can_be_imported_anywhere() -> None:
    source = {"type": "prometheus", "uid": "${datasource}"}
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)
    for panel in DASHBOARD["panels"]:
        assert panel["datasource"] == source
        assert panel["title"]
        assert all(target["datasource"] == source for target in panel["targets"])
    assert "id" not in DASHBOARD


def test_the_readme_names_each_file() -> None:
    links = set(re.findall(r"\]\(([^)#:]+)\)", FILES["README.md"]))
    for name in FILES:
        if name not in ("README.md", "Dockerfile.dockerignore"):
            top = name.partition("/")[0]
            assert name in links or f"{top}/" in links, name
