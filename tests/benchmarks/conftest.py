"""What a smoke run of a benchmark or an experiment needs: the script itself, and data of a few photographs."""

import runpy
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.benchmarks.small_data import write_small_data


@pytest.fixture(scope="session")
def small_data(tmp_path_factory) -> Path:
    """A folder laid out as ``../shared/data``, read-only."""
    return write_small_data(tmp_path_factory.mktemp("data"))


@pytest.fixture
def few_photographs(tmp_path) -> Path:
    """The same with two photographs in each folder."""
    return write_small_data(tmp_path, copies={0: 2}, samples={"ISIC_0024310"})


@pytest.fixture(scope="session")
def features(tmp_path_factory) -> Path:
    """Where the features of ``small_data`` are kept between scripts."""
    return tmp_path_factory.mktemp("features")


@pytest.fixture
def run_benchmark(monkeypatch, capsys) -> Callable[..., str]:
    """Return a function that runs a script as ``python -m benchmarks.NAME`` does, and returns what it printed.

    A script that ends with a sentence raises ``SystemExit``.
    """
    return _runner("benchmarks", monkeypatch, capsys)


@pytest.fixture
def run_experiment(monkeypatch, capsys) -> Callable[..., str]:
    """Return a function that does the same for ``python -m research.NAME``."""
    return _runner("research", monkeypatch, capsys)


def _runner(package: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    def run(name: str, *arguments: object) -> str:
        monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
        # Another test may have imported it; it is run from its first line all the same.
        monkeypatch.delitem(sys.modules, f"{package}.{name}", raising=False)
        capsys.readouterr()
        try:
            runpy.run_module(f"{package}.{name}", run_name="__main__")
        except SystemExit as end:
            if isinstance(end.code, str):
                raise
        return capsys.readouterr().out

    return run
