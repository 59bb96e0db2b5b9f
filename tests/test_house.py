"""The house keeps its own rules: floors, fences, the clock, the commands of the README."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

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
    done = subprocess.run([linter, "--no-cache"], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


Node = TypeVar("Node", bound=ast.AST)


@dataclass(frozen=True, slots=True)
class Source:
    """A file of the product: its name, its text, and every node of its tree."""

    name: str
    text: str
    nodes: Sequence[ast.AST]

    @classmethod
    def of(cls, name: str, text: str) -> Source:
        return cls(name, text, list(ast.walk(ast.parse(text))))

    def every(self, *kinds: type[Node]) -> list[Node]:
        return [node for node in self.nodes if isinstance(node, kinds)]


def no_file_or_function_has_grown_past_reading(source: Source) -> Iterator[str]:
    if (lines := source.text.count("\n")) > MOST_LINES:
        yield f"has {lines} lines"
    for node in source.every(ast.FunctionDef):
        lines = (node.end_lineno or node.lineno) - node.lineno + 1
        if lines - len((ast.get_docstring(node) or "").splitlines()) > MOST_FUNCTION_LINES:
            yield f"{node.name} has {lines} lines"


def every_module_says_what_it_is_for(source: Source) -> Iterator[str]:
    if source.text and not ast.get_docstring(source.every(ast.Module)[0]):
        yield "has no docstring"


def only_the_clock_module_reads_the_clock(source: Source) -> Iterator[str]:
    if not source.name.startswith(("demo/", "benchmarks/")) and source.name not in READS_THE_CLOCK:
        found = re.findall(r"datetime\.now\(|date\.today\(|time\.time\(|datetime\.utcnow\(", source.text)
        yield from (f"reads the clock by {one}; take `now` as an argument" for one in found)


def elements_of_datasets_are_read_at_one_door(source: Source) -> Iterator[str]:
    if not source.name.startswith(("recovery/dimse/", "demo/", "benchmarks/")) and not source.name.endswith(
        "elements.py"
    ):
        yield from re.findall(r"getattr\(ds\b|\bds\.[A-Z]\w*", source.text)


def nobody_asks_which_product_it_is(source: Source) -> Iterator[str]:
    """What differs between two is a field of `backup_jobs.rv.product.Product`."""
    for node in source.every(ast.Compare, ast.MatchValue):
        compared = {part.value for part in ast.walk(node) if isinstance(part, ast.Constant)}
        if compared & set(product_names()):
            yield f"line {node.lineno}"


def no_module_hands_on_the_names_of_another(source: Source) -> Iterator[str]:
    """Who imports a name goes to its home; mypy refuses what is not said to be handed on."""
    if not source.name.endswith("__init__.py"):
        named = [alias for node in source.every(ast.ImportFrom) for alias in node.names]
        yield from (alias.name for alias in named if alias.asname == alias.name)


def what_pydicom_raises_is_listed_at_one_place(source: Source) -> Iterator[str]:
    """Whoever has a list of his own lacks what is found later."""
    if source.name not in {"recovery/dicom/elements.py", "demo/pacs/index.py"}:
        for node in source.every(ast.Tuple):
            names = {name.id for name in node.elts if isinstance(name, ast.Name)}
            if names >= {"ValueError", "TypeError", "NotImplementedError"}:
                yield f"line {node.lineno}"


BREACHES: dict[Callable[[Source], Iterator[str]], str] = {
    no_file_or_function_has_grown_past_reading: "def f():\n" + "    x = 1\n" * MOST_FUNCTION_LINES,
    every_module_says_what_it_is_for: "x = 1",
    only_the_clock_module_reads_the_clock: "at = datetime.now()",
    elements_of_datasets_are_read_at_one_door: "name = ds.PatientName",
    nobody_asks_which_product_it_is: "is_it = rv.product == 'mosaiq'",
    no_module_hands_on_the_names_of_another: "from app.desk import Desk as Desk",
    what_pydicom_raises_is_listed_at_one_place: "ODD = (ValueError, TypeError, NotImplementedError)",
}
"""Each law of a file, and what breaks it."""


@pytest.mark.parametrize("law", BREACHES, ids=lambda law: law.__name__)
def test_a_breach_of_a_law_is_found(law: Callable[[Source], Iterator[str]]) -> None:
    assert list(law(Source.of("recovery/new.py", BREACHES[law])))
    assert not list(law(Source.of("recovery/new.py", '"""Says what it is for."""\n')))


def test_every_file_keeps_the_laws_of_the_house() -> None:
    """All files in one test: three thousand cost each process that collects them more than the reading."""
    broken = []
    for path in SOURCES:
        source = Source.of(relative(path), path.read_text())
        broken += [f"{source.name}: {law.__name__}: {told}" for law in BREACHES for told in law(source)]
    assert len(SOURCES) > 400 and broken == []


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


def test_no_room_has_grown_past_finding() -> None:
    rooms = {path.parent for path in SOURCES}
    sizes = {relative(room): len([p for p in room.glob("*.py") if p.name != "__init__.py"]) for room in rooms}
    assert {name: size for name, size in sizes.items() if size > MOST_FILES} == {}
