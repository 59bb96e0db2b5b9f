"""Mutation runs: `python -m tests.mutation recovery/course` says which changes to the code no test notices.

How
    mutmut's operators make the mutants, and a few more: max and min, any and all, sorting backwards, `<` as `>=`, a
    comprehension without its condition. Tests are collected once; each mutant is a fork in which one function has
    another code, and runs the tests that call that function, the quickest first.

Why not mutmut's own run
    It leaves out properties, of which most numbers of a course are made, and starts pytest anew for each mutant.
"""

from __future__ import annotations

import argparse
import importlib
import os
import random
import resource
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any

import libcst as cst
import pytest
from _pytest.runner import runtestprotocol
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation import file_mutation, mutators
from mutmut.mutation.pragma_handling import IgnoredCode

NAMES = ("asked_metersets", "beam_states", "counting", "course_numbers", "courses", "deliveries", "fraction_duplicates")
NAMES += ("fraction_gaps", "fractions", "ledger", "metersets", "meterset_units")
TESTS = [f"tests/recovery/test_{name}.py" for name in NAMES]
"""Fast ones that call `recovery.course` directly."""
OTHER_NAMES = {"max": "min", "min": "max", "any": "all", "all": "any", "reversed": "list"}
OTHER_SIDE: dict[type[cst.CSTNode], type[cst.BaseCompOp]] = {
    cst.LessThan: cst.GreaterThanEqual,
    cst.LessThanEqual: cst.GreaterThan,
    cst.GreaterThan: cst.LessThanEqual,
    cst.GreaterThanEqual: cst.LessThan,
}
CPU_SECONDS = 30
"""A mutant that takes longer is noticed."""


@dataclass(frozen=True, slots=True)
class Mutant:
    path: Path
    line: int
    name: str
    """`Class.function`, in its module."""
    change: str
    code: CodeType


def source(node: cst.CSTNode) -> str:
    return cst.Module([]).code_for_node(node)


def other_function(node: cst.Call) -> Iterator[cst.BaseExpression]:
    name = source(node.func)
    if name in OTHER_NAMES:
        yield node.with_changes(func=cst.Name(OTHER_NAMES[name]))
    if name == "sorted":
        yield cst.parse_expression(f"{source(node)}[::-1]")


def other_side(node: cst.ComparisonTarget) -> Iterator[cst.ComparisonTarget]:
    if type(node.operator) in OTHER_SIDE:
        yield node.with_changes(operator=OTHER_SIDE[type(node.operator)]())


def no_condition(node: cst.CompFor) -> Iterator[cst.CompFor]:
    for n in range(len(node.ifs)):
        yield node.with_changes(ifs=[*node.ifs[:n], *node.ifs[n + 1 :]])


def one_less(node: cst.Integer) -> Iterator[cst.Integer]:
    if node.evaluated_value > 0:
        yield node.with_changes(value=str(node.evaluated_value - 1))


def other_word(node: cst.SimpleString) -> Iterator[cst.SimpleString]:
    """In the place of mutmut's strings: words of the program alone, for a sentence changes no number."""
    if isinstance(node.evaluated_value, str) and node.evaluated_value.isidentifier():
        yield node.with_changes(value=repr(f"XX{node.evaluated_value}"))


OPERATORS = [
    *(pair for pair in mutators.mutation_operators if pair[1] is not mutators.operator_string),
    (cst.Call, other_function),
    (cst.ComparisonTarget, other_side),
    (cst.CompFor, no_condition),
    (cst.Integer, one_less),
    (cst.SimpleString, other_word),
]


class Visitor(file_mutation.MutationVisitor):
    """mutmut leaves out what is decorated; a property's function has a code like any other, but no defaults in it."""

    def _skip_node_and_children(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.FunctionDef):
            return False
        return isinstance(node, cst.Param) or super()._skip_node_and_children(node)


def mutants_of(path: Path) -> Iterator[Mutant]:
    wrapper = MetadataWrapper(cst.parse_module(path.read_text(encoding="utf-8")))
    visitor = Visitor(OPERATORS, IgnoredCode(set(), set(), set()))
    module, lines = wrapper.visit(visitor), wrapper.resolve(PositionProvider)
    class_of = {method: c.name.value for c in module.body if isinstance(c, cst.ClassDef) for method in c.body.body}
    for mutation in visitor.mutations:
        function, before, after = (
            mutation.contained_by_top_level_function,
            mutation.original_node,
            mutation.mutated_node,
        )
        if isinstance(function, cst.FunctionDef):
            changed = file_mutation.deep_replace(function.with_changes(decorators=[]), before, after)
            text = f"from __future__ import annotations\n{source(changed)}"  # type: ignore[arg-type]
            code = next(c for c in compile(text, str(path), "exec").co_consts if isinstance(c, CodeType))
            name = ".".join(filter(None, (class_of.get(function), function.name.value)))
            change = " ".join(f"{source(before)} → {source(after)}".split())
            yield Mutant(path, lines[before].start.line, name, change, code)


def function_of(mutant: Mutant) -> FunctionType:
    found: Any = importlib.import_module(".".join(mutant.path.with_suffix("").parts))
    for name in mutant.name.split("."):
        found = vars(found)[name]
    function: FunctionType = getattr(found, "fget", None) or getattr(found, "__func__", found)
    return function


def passes(item: pytest.Item) -> bool:
    return not any(report.failed for report in runtestprotocol(item, log=False, nextitem=None))


def is_noticed(function: FunctionType, code: CodeType, tests: Iterable[pytest.Item]) -> bool:
    child = os.fork()
    if child == 0:
        noticed = True
        try:
            resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
            function.__code__ = code
            noticed = not all(map(passes, tests))
        finally:
            os._exit(noticed)
    return os.waitpid(child, 0)[1] != 0


class Mutation:
    """A pytest plugin: in the place of one run of all tests, a run of some for each mutant."""

    def __init__(self, mutants: list[Mutant]) -> None:
        self.mutants = mutants
        self.noticed: list[tuple[Path, bool]] = []

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        calls = [self._calls(item) for item in session.items]
        for mutant in self.mutants:
            function = function_of(mutant)
            tests = sorted(
                (n for n, (_, called) in enumerate(calls) if function.__code__ in called), key=lambda n: calls[n][0]
            )
            noticed = is_noticed(function, mutant.code, [session.items[n] for n in tests])
            self.noticed.append((mutant.path, noticed))
            if not noticed:
                how = "" if tests else "  (no test calls it)"
                print(
                    f"{mutant.path}:{mutant.line} {mutant.name}: {mutant.change}{how}", file=sys.__stdout__, flush=True
                )
        return True

    def _calls(self, item: pytest.Item) -> tuple[float, frozenset[CodeType]]:
        """How long a test takes, and what it calls."""
        called: set[CodeType] = set()

        def note(frame: FrameType, _event: str, _arg: object) -> None:
            called.add(frame.f_code)

        began = time.process_time()
        sys.setprofile(note)
        passed = passes(item)
        sys.setprofile(None)
        if not passed:
            pytest.exit(f"{item.nodeid} fails without a mutant", 1)
        return time.process_time() - began, frozenset(called)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__.partition("\n")[0])
    parser.add_argument("paths", nargs="+", type=Path, help="files or folders to mutate")
    parser.add_argument("--tests", nargs="+", default=TESTS, help="what is to notice it")
    parser.add_argument("--sample", type=int, help="so many of the mutants, always the same ones")
    told = parser.parse_args()
    os.environ["RBRDT_HYPOTHESIS"] = "mutants"
    files = sorted(f for path in told.paths for f in (path.rglob("*.py") if path.is_dir() else [path]))
    mutants = [mutant for file in files for mutant in mutants_of(file)]
    if told.sample is not None:
        mutants = random.Random(0).sample(mutants, min(told.sample, len(mutants)))
    run = Mutation(mutants)
    pytest.main(
        ["-q", *(["-p", "no:cacheprovider", "-p", "no:timeout", "-p", "no:xdist", "-W", "ignore"]), *told.tests],
        plugins=[run],
    )
    print("\n| File | Mutants | Noticed | Not |\n|---|--:|--:|--:|")
    for file in files:
        results = [noticed for path, noticed in run.noticed if path == file]
        if results:
            print(f"| `{file}` | {len(results)} | {sum(results)} | {len(results) - sum(results)} |")


if __name__ == "__main__":
    main()
