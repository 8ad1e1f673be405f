"""The pinned versions are exact and consistent, and cover all imports."""

import ast
import re
import sys
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.places import ROOT

LOCKS = ("serve", "train", "test")
OURS = {"dermascan", "patients", "diagnosis", "mlmodel"}
# The network is rebuilt, and its report written, on machines with requirements.txt.
TRAINING = (ROOT / "mlmodel" / "training", ROOT / "mlmodel" / "reporting")
# What only `make dev` loads.
DEVELOPMENT = {"development_urls.py"}
TRAINING_COMMANDS = {"build_release.py", "export_backbone.py", "import_ham10000.py", "train.py"}


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@cache
def pins(lock: str) -> dict[str, str]:
    pins_by_name = {}
    for line in (ROOT / "requirements" / f"{lock}.txt").read_text().splitlines():
        if line.startswith("#"):
            continue
        pin = re.fullmatch(r"([A-Za-z0-9._-]+)==([^\s;]+)(?: ; .+)?", line)
        assert pin, f"{lock}.txt: {line!r} is not an exact pin"
        pins_by_name[canonical(pin[1])] = pin[2]
    return pins_by_name


@pytest.mark.parametrize("lock", LOCKS)
def test_every_line_is_an_exact_pin(lock):
    assert len(pins(lock)) > 20


@pytest.mark.parametrize(
    "package", ["tensorflow", "tensorflow-cpu", "keras", "tf2onnx", "scikit-learn", "scipy", "matplotlib", "jinja2"]
)
def test_web_and_worker_machines_install_nothing_of_training(package):
    assert package not in pins("serve")


def test_a_package_has_one_version_everywhere():
    for lock in ("train", "test"):
        for other in LOCKS[: LOCKS.index(lock)]:
            shared = pins(lock).keys() & pins(other).keys()
            assert {name: pins(lock)[name] for name in shared} == {name: pins(other)[name] for name in shared}


def test_no_pin_names_a_registry_or_a_local_folder():
    for file in [*(ROOT / "requirements").iterdir(), ROOT / "requirements.txt"]:
        assert not re.search(r"://|--(extra-)?index-url|--find-links|^/|@ file", file.read_text(), re.MULTILINE), file


def test_requirements_are_serve_and_train():
    lines = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if not line.startswith("#")]
    assert lines == ["-r requirements/serve.txt", "-r requirements/train.txt"]


def serving_sources() -> list[Path]:
    sources = [path for app in sorted(OURS) for path in (ROOT / app).rglob("*.py")]
    return [
        path
        for path in sources
        if not any(path.is_relative_to(folder) for folder in TRAINING)
        and path.name not in TRAINING_COMMANDS | DEVELOPMENT
    ]


def imports_of(path: Path) -> set[str]:
    """Return the top-level modules that a file imports, except only for type checking."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    names: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names.add(node.module.partition(".")[0])
    return names


def test_imports_of_the_serving_code_are_serving_requirements():
    distributions = packages_distributions()
    missing = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in serving_sources()
        for name in imports_of(path) - OURS - sys.stdlib_module_names
        if not {canonical(found) for found in distributions.get(name, [])} & pins("serve").keys()
    }
    assert missing == set()


@cache
def declared(*files: str) -> set[str]:
    """Return the directly required packages, without transitive dependencies."""
    lines = [line for name in files for line in (ROOT / "requirements" / f"{name}.in").read_text().splitlines()]
    return {canonical(re.split(r"[\[<>=~;]", line)[0].strip()) for line in lines if line and line[0] not in "#-"}


@pytest.mark.parametrize(
    ("sources", "files"), [("serving", ("serve",)), ("training", ("serve", "train")), ("tests", LOCKS)]
)
def test_our_imports_are_direct_requirements(sources, files):
    paths = {
        "serving": serving_sources(),
        "training": [*(ROOT / "mlmodel").rglob("*.py")],
        "tests": [path for folder in ("tests", "benchmarks", "research") for path in (ROOT / folder).rglob("*.py")],
    }[sources]
    distributions = packages_distributions()
    known = OURS | {"tests", "benchmarks", "research"} | sys.stdlib_module_names
    undeclared = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in paths
        for name in imports_of(path) - known
        if not {canonical(found) for found in distributions.get(name, [])} & declared(*files)
    }
    assert undeclared == set()
