"""The house keeps its own rules: floors, fences, the clock, the commands of the README."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from recovery.settings.products import product_names
from tests.forked import PROJECT, run_module

ROOMS = ("app", "backup_jobs", "recovery", "demo", "benchmarks")
SOURCES = sorted(p for room in ROOMS for p in (PROJECT / room).rglob("*.py"))
MOST_LINES = 310
MOST_FUNCTION_LINES = 45
MOST_FILES = 15
READS_THE_CLOCK = {"recovery/host/clock.py"}


def relative(path: Path) -> str:
    return path.relative_to(PROJECT).as_posix()


def test_floors_and_fences_hold() -> None:
    linter = shutil.which("lint-imports", path=str(Path(sys.executable).parent))
    assert linter, "import-linter is in requirements-dev.txt"
    done = subprocess.run([linter], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_no_file_or_function_has_grown_past_reading(path: Path) -> None:
    text = path.read_text()
    assert text.count("\n") <= MOST_LINES
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            docstring = len((ast.get_docstring(node) or "").splitlines())
            assert lines - docstring <= MOST_FUNCTION_LINES, f"{node.name} has {lines} lines"


@pytest.mark.parametrize("path", [p for p in SOURCES if p.stat().st_size], ids=relative)
def test_every_module_says_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text())), "no module docstring"


@pytest.mark.parametrize(
    "path", [p for p in SOURCES if not relative(p).startswith(("demo/", "benchmarks/"))], ids=relative
)
def test_only_the_clock_module_reads_the_clock(path: Path) -> None:
    if relative(path) in READS_THE_CLOCK:
        return
    found = re.findall(r"datetime\.now\(|date\.today\(|time\.time\(|datetime\.utcnow\(", path.read_text())
    assert not found, f"{relative(path)} reads the clock; take `now` as an argument"


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_elements_of_datasets_are_read_at_one_door(path: Path) -> None:
    if relative(path).startswith(("recovery/dimse/", "demo/", "benchmarks/")) or path.name == "elements.py":
        return
    assert not re.search(r"getattr\(ds\b|\bds\.[A-Z]", path.read_text())


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_nobody_asks_which_product_it_is(path: Path) -> None:
    """What differs between two is a field of `backup_jobs.rv.product.Product`."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Compare | ast.MatchValue):
            compared = {part.value for part in ast.walk(node) if isinstance(part, ast.Constant)}
            assert not compared & set(product_names()), f"line {node.lineno}"


def test_no_path_of_a_machine_is_committed() -> None:
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True, check=False
    ).stdout.split()
    if not tracked:
        pytest.skip("not a git checkout")
    pattern = re.compile(r"/work/(main|shared)|/root/|/home/[a-z]+/")
    for name in tracked:
        path = PROJECT / name
        if (
            path.suffix in {".py", ".md", ".toml", ".txt", ".sql", ".yml", ""}
            and path.is_file()
            and path != Path(__file__)
        ):
            assert not pattern.search(path.read_text(errors="replace")), name


def test_every_command_that_the_readme_shows_exists() -> None:
    text = (PROJECT / "README.md").read_text()
    jobs = set(re.findall(r"python -m backup_jobs (\w+)", text))
    commands = set(re.findall(r"python -m recovery (\w+)", text))
    targets = set(re.findall(r"(?:`|^)make (\w+)", text, re.MULTILINE))
    for module, names in (("backup_jobs", jobs), ("recovery", commands)):
        helped = run_module(module, "--help").stdout
        assert names and all(name in helped for name in names), (module, names)
    makefile = (PROJECT / "Makefile").read_text()
    assert {"demo", "test"} <= targets and all(re.search(rf"^{t}:", makefile, re.MULTILINE) for t in targets), targets


@pytest.mark.parametrize("name", ["requirements", "requirements-network", "requirements-dev"])
def test_requirements_are_reasoned_and_all_that_they_need_is_pinned_by_hash_from_no_named_index(name: str) -> None:
    wanted = [line for line in (PROJECT / f"{name}.in").read_text().splitlines() if not line.startswith(("#", "-"))]
    assert [line for line in wanted if not re.match(r"[\w\-\[\],]+==[\w.]+ +# .{10}", line)] == []
    text = re.sub(r" *#.*", "", (PROJECT / f"{name}.txt").read_text())
    one = r"^([\w.-]+)==(\S+)(?: ; [^\\]+)? \\\n(?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+"
    pins = dict(re.findall(one, text, re.MULTILINE))
    lines = re.findall(r"^\S.*", text, re.MULTILINE)
    assert len(lines) > len(wanted)
    assert [line for line in lines if line.partition("==")[0] not in pins] == [], "no pin with its hashes"
    assert {re.match(r"([\w-]+)(?:\[[\w,]+\])?==(\S+)", line).groups() for line in wanted} <= pins.items()  # type: ignore[union-attr]


def test_windows_has_a_wheel_of_every_pin() -> None:
    """Its package index is asked: without one, this is not known."""
    done = subprocess.run(
        [Path(sys.executable).with_name("uv"), "pip", "compile", "--quiet", "--no-config", "--no-deps",
         "--only-binary", ":all:", "--python-version", "3.11", "--python-platform", "windows", "requirements-dev.txt"],
        cwd=PROJECT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode == 2:
        pytest.skip(f"NOT CHECKED whether Windows has a wheel of every pin: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    assert "pyarrow==" in done.stdout


def imports_of(path: Path, modules: set[str]) -> set[str]:
    """The project's modules that a file imports, also inside functions and under TYPE_CHECKING."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {name if (name := f"{node.module}.{a.name}") in modules else node.module for a in node.names}
    return found & modules


def test_no_files_import_each_other_in_a_circle() -> None:
    """Also not for types: a circle means that two files are one, or that something lies in the wrong one."""
    names = {relative(p).removesuffix(".py").removesuffix("/__init__").replace("/", "."): p for p in SOURCES}
    left = {name: imports_of(path, set(names)) - {name} for name, path in names.items()}
    while ends := {name for name, imported in left.items() if not imported & left.keys()}:
        left = {name: imported for name, imported in left.items() if name not in ends}
    inside = {name for imported in left.values() for name in imported & left.keys()}
    assert not left, f"among these files is a circle: {sorted(inside & left.keys())}"


@pytest.mark.parametrize("path", [p for p in SOURCES if p.name != "__init__.py"], ids=relative)
def test_no_module_hands_on_the_names_of_another(path: Path) -> None:
    """Who imports a name goes to its home; mypy refuses what is not said to be handed on."""
    imports = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)]
    assert not [alias.name for node in imports for alias in node.names if alias.asname == alias.name]


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_what_pydicom_raises_is_listed_at_one_place(path: Path) -> None:
    """Whoever has a list of his own lacks what is found later."""
    if relative(path) in {"recovery/dicom/elements.py", "demo/pacs/index.py"}:
        return
    names = [
        {name.id for name in node.elts if isinstance(name, ast.Name)}
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Tuple)
    ]
    assert not [sorted(one) for one in names if one >= {"ValueError", "TypeError", "NotImplementedError"}]


def test_no_room_has_grown_past_finding() -> None:
    rooms = {path.parent for path in SOURCES}
    sizes = {relative(room): len([p for p in room.glob("*.py") if p.name != "__init__.py"]) for room in rooms}
    assert {name: size for name, size in sizes.items() if size > MOST_FILES} == {}
