"""What the linters do not check: where files stand, what services declare together, what the words must name."""

import ast
import re
import subprocess
import tomllib
from importlib import import_module
from pathlib import Path

import pytest
from sqlalchemy import DateTime, Table

from contracts.message import EVENTS, HOME, QUESTIONS, Compartment
from services import audit
from services.service import Process, Service
from services.settings import Settings
from services.store import Instant, plumbing

ROOT = Path(__file__).parent.parent
SERVICES = sorted(
    path.name
    for path in (ROOT / "services").iterdir()
    if path.is_dir() and path.name not in ("__pycache__", "commands")
)
PLUMBING = {
    "__init__.py",
    "__main__.py",
    "asyncapi.py",
    "audit.py",
    "bus.py",
    "count_definitions.py",
    "counts_sheet.py",
    "demo.py",
    "example_days.py",
    "extent.py",
    "forms.py",
    "forms_page.py",
    "guards.py",
    "importer.py",
    "launcher.py",
    "letters.py",
    "logs.py",
    "merkle.py",
    "office_days.py",
    "operator.py",
    "pdf.py",
    "postbox.py",
    "probes.py",
    "processes.py",
    "provision.py",
    "provision_stores.py",
    "pull.py",
    "refusals.py",
    "relay.py",
    "service.py",
    "settings.py",
    "sharing.py",
    "store.py",
    "typeset.py",
    "vault.py",
    "wall.py",
}
VAGUE = {"common", "utils", "util", "helpers", "helper", "manager", "managers", "misc", "base", "shared", "core"}
CLOCKS = {
    "datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "date.today",
    "time.time",
    "time.monotonic",
    "uuid1",
    "uuid4",
    "uuid.uuid4",
}


def service(name: str) -> Service:
    return import_module(f"services.{name}").service  # type: ignore[no-any-return]


ALL = [service(name) for name in SERVICES]
"""Imported once and first: importing a service registers the messages it knows."""


def services() -> list[Service]:
    return ALL


def modules(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def tracked() -> list[Path]:
    """Every file that is or would be committed."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


# -- where files stand -------------------------------------------------------------------------------------------------


def test_the_services_are_these() -> None:
    assert SERVICES == ["coordination", "desk", "directory", "gate", "intake", "mailin", "meetings", "notify"]


def test_every_file_beside_the_services_is_listed_plumbing() -> None:
    assert {path.name for path in (ROOT / "services").glob("*.*")} == PLUMBING


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_its_handlers_and_what_it_keeps(name: str) -> None:
    folder, declared = ROOT / "services" / name, service(name)
    assert declared.name == name
    assert declared is import_module(f"services.{name}.handlers").service
    kept = declared.tables.tables
    assert (folder / "tables.py").exists() == bool(kept), "tables.py stands where something is kept, and only there"
    if declared.reactions:
        assert (folder / "domain.py").exists(), "what reacts decides, and decisions stand in domain.py"


@pytest.mark.parametrize("path", modules("contracts", "services"), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_says_what_it_is_for_and_has_a_telling_name(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text("utf-8")))
    assert not {path.stem, path.parent.name} & VAGUE


@pytest.mark.parametrize("name", SERVICES)
def test_rules_and_handlers_read_no_clock_and_draw_no_references(name: str) -> None:
    for path in sorted((ROOT / "services" / name).glob("*.py")):
        if path.name in {"domain.py", "handlers.py"}:
            assert clocks_read(path.read_text("utf-8")) == [], path


def test_a_clock_in_a_handler_is_noticed() -> None:
    assert clocks_read("def act(event, tx):\n    return tx.now, tx.ref(), work.now()") == []
    assert clocks_read("def act(event, tx):\n    return datetime.now(UTC), uuid4()") == ["datetime.now", "uuid4"]
    assert clocks_read("seen = date.today()") == ["date.today"]


def clocks_read(source: str) -> list[str]:
    """The calls in a source that ask the machine for the time or for a random reference."""
    calls = (ast.unparse(node.func) for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    return sorted(call for call in calls if call in CLOCKS)


# -- what services declare together ------------------------------------------------------------------------------------


def test_every_event_is_told_by_its_own_service_and_heard_by_somebody() -> None:
    for subject, event in EVENTS.items():
        if event.__module__.startswith("contracts."):
            assert [s.name for s in services() if event in s.publishes] == [subject.split(".")[1]], subject
            assert any(event in s.reactions for s in services()), f"nobody reacts to {subject}"


def test_every_question_is_answered_by_the_service_it_is_named_after() -> None:
    for subject, question in QUESTIONS.items():
        if question.__module__.startswith("contracts."):
            assert [s.name for s in services() if question in s.answers_to] == [subject.split(".")[1]], subject


def test_nobody_asks_what_it_is_not_allowed_to_ask() -> None:
    for declared in services():
        kinds = list(Compartment) if declared.compartments else [None]
        for question in declared.asks:
            reach = [Process(declared, kind).addresses(question) for kind in kinds]
            if declared.name == "desk":  # its answer window lives in no compartment and asks for itself
                reach.append(Process(declared).addresses(question))
            assert any(reach), f"{declared.name} may not ask {question.subject}"


def test_a_service_runs_per_compartment_where_its_home_says_so() -> None:
    for declared in services():
        if declared.name in HOME and declared.name != "desk":  # its answer window answers, in no compartment
            assert declared.compartments == (HOME[declared.name] is None)


def test_the_durable_consumers_are_these() -> None:
    """The service's name is its consumer's name: renaming a service, or adding one here, replays the stream to it."""
    assert {declared.name for declared in services() if declared.reactions} == {"coordination", "meetings"}


@pytest.mark.parametrize("name", SERVICES)
def test_every_table_has_a_primary_key_and_keeps_instants_as_instants(name: str) -> None:
    for table in [*service(name).tables.tables.values(), *plumbing.tables.values(), *audit.tables.tables.values()]:
        assert faults_of(table) == []


def faults_of(table: Table) -> list[str]:
    faults = [] if table.primary_key.columns else [f"{table.name} has no primary key"]
    faults += [
        f"{table.name}.{column.name} is a bare DateTime: SQLite would drop its zone"
        for column in table.columns
        if isinstance(column.type, DateTime) and not isinstance(column.type, Instant)
    ]
    return faults


def test_the_tables_of_a_service_do_not_hide_the_plumbing() -> None:
    for declared in services():
        assert not set(declared.tables.tables) & {*plumbing.tables, *audit.tables.tables}


# -- what the words must name ------------------------------------------------------------------------------------------


DOCUMENTS = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md")))
LINK = re.compile(r"\]\((?!https?:)([^)#]*)(?:#[^)]*)?\)")


def test_the_documents_name_every_subject_and_every_setting() -> None:
    said = "".join(one.read_text("utf-8") for one in DOCUMENTS)
    assert [word for word in (*subjects(), *environment()) if word not in said] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda one: one.name)
def test_what_a_document_leads_to_is_there(document: Path) -> None:
    linked = {one for one in LINK.findall(document.read_text("utf-8")) if one}
    assert not {one for one in linked if not (document.parent / one).exists()}


def test_the_changelog_names_every_event() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert [subject for subject in subjects() if subject not in changelog] == []


def subjects() -> list[str]:
    for name in SERVICES:
        service(name)
    registered = (EVENTS | QUESTIONS).items()
    return sorted(subject for subject, message in registered if message.__module__.startswith("contracts."))


def environment() -> list[str]:
    """Every variable that a process reads."""
    prefix = Settings.model_config["env_prefix"]
    return [str(field.validation_alias or f"{prefix}{name}".upper()) for name, field in Settings.model_fields.items()]


# -- what must not be in the tree --------------------------------------------------------------------------------------

FOREIGN = {
    "a package registry's host": r"(?:py[p]i|npm[j]s|pyth[o]nhosted)\.(?:org|com|io)|deb\.d[e]bian|registry\.n[p]m",
    "a path of one machine": r"(?<![\w.])/(?:wor[k]|far[m]|ho[m]e|ro[o]t|Use[r]s)/",
}


@pytest.mark.parametrize("what", FOREIGN)
def test_no_file_names(what: str) -> None:
    faults = []
    for path in tracked():
        for number, line in enumerate(path.read_bytes().decode("utf-8", "replace").splitlines(), 1):
            if re.search(FOREIGN[what], line):
                faults.append(f"{path.relative_to(ROOT)}:{number}")
    assert faults == []


@pytest.mark.parametrize(
    ("what", "line"),
    [
        ("a package registry's host", "--index-url https://" + "py" + "pi.org/simple"),
        ("a package registry's host", "https://files.python" + "hosted.org/packages/x.whl"),
        ("a path of one machine", 'open("/' + 'work/main/README.md")'),
        ("a path of one machine", "cd /" + "home/hanako/kasane"),
    ],
)
def test_a_foreign_name_is_noticed(what: str, line: str) -> None:
    assert re.search(FOREIGN[what], line)


@pytest.mark.parametrize("name", ["run.txt", "dev.txt"])
def test_every_requirement_is_pinned_by_version_and_hash(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text("utf-8")
    lines = [line.strip() for line in text.replace("\\\n", " ").splitlines()]
    requirements = [line for line in lines if line and not line.startswith("#")]
    assert requirements
    for line in requirements:
        assert re.match(r"[a-z0-9._\[\]-]+==\S+", line), line
        assert "--hash=sha256:" in line, line


def test_what_the_project_depends_on_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    pinned = (ROOT / "requirements" / "run.txt").read_text("utf-8").lower()
    for requirement in project["dependencies"]:
        name = re.match(r"[A-Za-z0-9-]+", requirement)
        assert name
        assert re.search(rf"^{name[0].lower()}(\[.*\])?==", pinned, re.MULTILINE), requirement
