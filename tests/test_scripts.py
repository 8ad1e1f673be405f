"""Every script that a person is told to run is run by a test, so that none breaks unnoticed."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from django.core.management import get_commands

from tests.benchmarks import test_research, test_smoke
from tests.places import ROOT

OURS = ("dermascan", "diagnosis", "mlmodel", "patients")


def started_in(folder: str) -> list[str]:
    """The modules of benchmarks/ or research/ that can be started."""
    paths = sorted((ROOT / folder).glob("*.py"))
    return [path.stem for path in paths if path.stem != "__main__" and "__main__" in path.read_text(encoding="utf-8")]


def commands() -> list[str]:
    return sorted(name for name, app in get_commands().items() if app in OURS)


def deployed() -> list[str]:
    """The scripts of deploy/; what gunicorn is told is read whenever tests/deploy/test_run.py starts it."""
    paths = (ROOT / "deploy").iterdir()
    return sorted(path.name for path in paths if path.suffix in {".py", ".sh"} and not path.name.endswith(".conf.py"))


@cache
def first_words(function: str) -> set[str]:
    """The constants that calls of ``function`` anywhere in the tests begin with."""
    found = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if name == function:
                    found.add(str(node.args[0].value))
    return found


def constants(folder: Path) -> Iterator[str]:
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


@pytest.mark.parametrize("name", started_in("benchmarks"))
def test_every_benchmark_is_started(name):
    assert name in first_words("run_benchmark") | set(test_smoke.ALONE)


@pytest.mark.parametrize("name", started_in("research"))
def test_every_experiment_is_started(name):
    assert name in first_words("run_experiment") | {"promotion"} | set(test_research.OF_HOURS)


@pytest.mark.parametrize("name", commands())
def test_every_command_is_run(name):
    assert name in first_words("call_command")


@pytest.mark.parametrize("name", deployed())
def test_every_deployment_script_is_run(name):
    assert any(said.endswith(name) for said in constants(ROOT / "tests" / "deploy"))


def test_nothing_else_can_be_started():
    """A script elsewhere would be one that no test of these finds. Three are started by the program itself."""
    elsewhere = [
        path.relative_to(ROOT)
        for folder in (*OURS, "tests", "deploy", "static", "docs", "requirements")
        for path in (ROOT / folder).rglob("*.py")
        if "\nif __name__ == " in path.read_text(encoding="utf-8")
    ]

    assert {str(path) for path in elsewhere} == {
        "deploy/run.py",
        "dermascan/supervisor.py",
        "mlmodel/pictures/decode_worker.py",
    }
    assert {path.name for path in ROOT.glob("*.py")} == {"manage.py"}
