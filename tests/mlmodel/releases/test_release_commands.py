"""The commands that build a release report invalid input and write nothing."""

import os
import subprocess
import sys

import pytest
from django.core.management import CommandError, call_command

from tests.places import ROOT

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _tensorflow():
    pytest.importorskip("tensorflow")


def test_weights_that_are_none_are_not_exported(tmp_path):
    wrong = tmp_path / "wrong.h5"
    wrong.write_bytes(b"\x89HDF\r\n\x1a\n and no more")
    with pytest.raises(CommandError, match="does not contain the weights of Keras's xception without its top"):
        call_command("export_backbone", "--backbone-weights", str(wrong), "--output", str(tmp_path / "made.onnx"))
    with pytest.raises(CommandError, match=r"There is no run of `manage\.py train` in"):
        call_command("export_backbone", "--run", str(tmp_path), "--output", str(tmp_path / "made.onnx"))
    assert not (tmp_path / "made.onnx").exists()


def test_a_download_that_fails_says_how_to_go_on_without_it(tmp_path):
    unreachable = {"KERAS_HOME": str(tmp_path), "https_proxy": "http://127.0.0.1:9"}
    command = [sys.executable, "manage.py", "export_backbone", "--output", str(tmp_path / "made.onnx")]
    ended = subprocess.run(command, cwd=ROOT, env={**os.environ, **unreachable}, capture_output=True, text=True)
    assert ended.returncode == 1
    assert "could not be downloaded" in ended.stderr
    assert "--backbone-weights" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_where_nothing_can_be_written_is_told_first(tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(CommandError, match="is not writable"):
        call_command("export_backbone", "--output", str(tmp_path / "file" / "made.onnx"))
    with pytest.raises(CommandError, match="is a folder"):
        call_command("export_backbone", "--output", str(tmp_path))
    data = tmp_path / "data"
    for folder in ("ham10000", "phone", "not_skin"):
        (data / folder).mkdir(parents=True)
    with pytest.raises(CommandError, match="is not writable"):
        call_command("build_release", str(data), "--output", str(tmp_path / "file" / "release"))


def test_a_folder_without_photographs_gives_no_reference(tmp_path):
    with pytest.raises(CommandError, match=r"metadata\.csv does not exist"):
        call_command("build_reference", str(tmp_path))
