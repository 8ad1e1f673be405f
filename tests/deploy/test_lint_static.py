"""``deploy/lint_static.sh``: lints JavaScript and CSS where npm is there, and says so where it is not."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.places import ROOT


@pytest.fixture
def copy(tmp_path) -> Path:
    """A copy of what is linted, with a fault in it."""
    (tmp_path / "deploy").mkdir()
    shutil.copy(ROOT / "deploy" / "lint_static.sh", tmp_path / "deploy")
    shutil.copy(ROOT / "biome.json", tmp_path)
    (tmp_path / "static" / "js").mkdir(parents=True)
    (tmp_path / "static" / "js" / "broken.js").write_text("const total = 1;\ntotal = 2;\n")
    return tmp_path


def lint(folder: Path, path: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": path}
    command = [str(folder / "deploy" / "lint_static.sh")]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)


def test_without_npm_nothing_is_linted_and_that_is_said(copy):
    tools = copy / "tools"
    tools.mkdir()
    for name in ("bash", "env", "dirname", "cat"):
        (tools / name).symlink_to(shutil.which(name) or f"/bin/{name}")
    outcome = lint(copy, str(tools))
    assert outcome.returncode == 0
    assert "npm is not installed" in outcome.stderr


def test_script_and_configuration_name_one_version():
    version = re.search(r"^version=(.*)$", (ROOT / "deploy" / "lint_static.sh").read_text(), re.MULTILINE)
    assert version is not None
    assert f"/schemas/{version[1]}/" in (ROOT / "biome.json").read_text()


@pytest.mark.slow
def test_a_fault_in_a_script_is_found(copy):
    installed, script = ROOT / ".venv" / "biome", (ROOT / "deploy" / "lint_static.sh").read_text()
    version = installed / "version"
    # The script would else download it into this checkout.
    if not version.exists() or f"version={version.read_text().strip()}\n" not in script:
        pytest.skip("Biome is installed by `make lint`, where npm is there")
    (copy / ".venv").mkdir()
    (copy / ".venv" / "biome").symlink_to(installed)
    outcome = lint(copy, os.environ["PATH"])
    assert outcome.returncode != 0
    assert "broken.js" in outcome.stdout + outcome.stderr
    (copy / "static" / "js" / "broken.js").write_text("const total = 1;\nconsole.log(total);\n")
    assert lint(copy, os.environ["PATH"]).returncode == 0
