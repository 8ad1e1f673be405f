"""``deploy/setup.sh`` works once, again when requirements change, and reports what is missing."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.places import ROOT


@pytest.fixture
def tree(tmp_path) -> Path:
    """A copy of the set-up's files, with an environment whose pip only records its arguments."""
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    shutil.copy(ROOT / "requirements.txt", tmp_path)
    (tmp_path / "deploy").mkdir()
    shutil.copy(ROOT / "deploy" / "setup.sh", tmp_path / "deploy")
    binaries = tmp_path / ".venv" / "bin"
    binaries.mkdir(parents=True)
    python = binaries / "python"
    python.write_text(
        f'#!/bin/sh\nif [ "$1 $2" = "-m pip" ]; then echo "$@" >>{tmp_path}/pip.log; exit 0; fi\n'
        f'exec {sys.executable} "$@"\n'
    )
    python.chmod(0o755)
    return tmp_path


def set_up(tree: Path, kind: str = "serve", **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "deploy/setup.sh", kind],
        cwd=tree,
        env={"PATH": os.environ["PATH"], "VENV": ".venv", **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def installs(tree: Path) -> list[str]:
    log = tree / "pip.log"
    return log.read_text().splitlines() if log.exists() else []


def test_the_second_run_has_nothing_to_do(tree):
    assert set_up(tree).returncode == 0
    assert len(installs(tree)) == 1
    assert installs(tree)[0].endswith("-r requirements/serve.txt")
    again = set_up(tree)
    assert again.returncode == 0
    assert again.stderr == ""
    assert len(installs(tree)) == 1


def test_changed_requirements_are_installed(tree):
    set_up(tree)
    with (tree / "requirements" / "serve.txt").open("a") as file:
        file.write("another==1.0\n")
    assert set_up(tree).returncode == 0
    assert len(installs(tree)) == 2


def test_tests_need_training_and_tools_too(tree):
    set_up(tree)
    assert set_up(tree, "test").returncode == 0
    assert installs(tree)[-1].endswith("-r requirements.txt -r requirements/test.txt")


def test_an_unknown_kind_is_reported(tree):
    outcome = set_up(tree, "everything")
    assert outcome.returncode == 1
    assert "'everything'" in outcome.stderr


@pytest.mark.slow
def test_an_unsuitable_python_is_reported(tree):
    shutil.rmtree(tree / ".venv")
    outcome = set_up(tree, PYTHON="/bin/false")
    assert outcome.returncode == 1
    assert "PYTHON=/bin/false is not a Python 3.11 or newer" in outcome.stderr


def test_without_python_and_apt_it_lists_what_to_install(tree, tmp_path):
    shutil.rmtree(tree / ".venv")
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("bash", "cat", "sha256sum", "dirname", "rm", "id", "uname"):
        path = shutil.which(tool)
        assert path
        (tools / tool).symlink_to(path)
    old = tools / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    outcome = set_up(tree, PATH=str(tools))
    assert outcome.returncode == 1
    assert "python3 python3-venv" in outcome.stderr
    assert not (tree / ".venv").exists()


def test_without_rights_the_exact_command_is_printed(tree, tmp_path):
    """Without rights to install, the message contains the command to run."""
    shutil.rmtree(tree / ".venv")
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("bash", "cat", "sha256sum", "dirname", "rm", "uname"):
        path = shutil.which(tool)
        assert path
        (tools / tool).symlink_to(path)
    for tool, answer in {"id": "echo 1000", "sudo": "exit 1", "apt-get": "exit 9", "python3": "exit 1"}.items():
        script = tools / tool
        script.write_text(f"#!/bin/sh\n{answer}\n")
        script.chmod(0o755)
    outcome = set_up(tree, PATH=str(tools))
    assert outcome.returncode == 1
    assert (
        "sudo sh -c 'apt-get update && apt-get install -y --no-install-recommends python3 python3-venv'"
        in outcome.stderr
    )
