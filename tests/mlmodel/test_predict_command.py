"""``manage.py predict`` through its own door, on real photographs with the shipped network."""

import csv
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.conftest import PHOTOGRAPHS

HEADER = ["image", "MEL", "NV", "BCC", "AKIEC", "BKL", "DF", "VASC"]
NEVUS = PHOTOGRAPHS / "ISIC_0024327.jpg"


def predict(*arguments) -> list[list[str]]:
    out = io.StringIO()
    call_command("predict", *map(str, arguments), stdout=out, stderr=io.StringIO())
    return list(csv.reader(io.StringIO(out.getvalue())))


def test_a_file_is_scored_in_the_challenge_format():
    header, row = predict(NEVUS)

    assert header == HEADER
    assert row[0] == "ISIC_0024327"
    assert sum(map(float, row[1:])) == pytest.approx(1, abs=1e-5)
    assert float(row[2]) > 0.5, "a plain nevus is taken for one"


def test_equal_prior_scores_give_rare_classes_more():
    calibrated, equal = predict(NEVUS)[1], predict(NEVUS, "--equal-prior")[1]

    assert float(equal[2]) <= float(calibrated[2])
    assert sum(map(float, equal[1:])) == pytest.approx(1, abs=1e-5)


def test_what_cannot_be_read_is_reported_and_the_rest_is_written(tmp_path):
    (tmp_path / "good.jpg").write_bytes(NEVUS.read_bytes())
    (tmp_path / "text.jpg").write_text("this is no photograph")
    (tmp_path / "cut.jpg").write_bytes(NEVUS.read_bytes()[:5000])
    target = tmp_path / "scores.csv"
    complaints = io.StringIO()

    with pytest.raises(CommandError, match="3 of 4 could not be read"):
        call_command("predict", str(tmp_path), str(tmp_path / "absent.jpg"), "--csv", str(target), stderr=complaints)

    rows = list(csv.reader(target.read_text().splitlines()))
    assert [row[0] for row in rows] == ["image", "good"]
    for name in ("text.jpg", "cut.jpg", "absent.jpg"):
        assert name in complaints.getvalue()


def test_what_is_neither_file_nor_folder_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    complaints = io.StringIO()
    with pytest.raises(CommandError, match=r"1 of 1 could not be read\.$"):
        call_command("predict", str(tmp_path / "pipe"), stdout=io.StringIO(), stderr=complaints)
    assert "there is no file or folder of this name" in complaints.getvalue()
    with pytest.raises(CommandError, match="give a file or a folder; this is empty"):
        predict("")


def test_an_empty_folder_and_an_unwritable_target_are_errors(tmp_path):
    with pytest.raises(CommandError):
        predict(tmp_path)
    with pytest.raises(CommandError, match="could not be written"):
        predict(NEVUS, "--csv", tmp_path / "no" / "folder" / "scores.csv")


@pytest.mark.slow
def test_the_exit_status_tells_and_a_folder_shows_its_progress(tmp_path):
    (tmp_path / "nevus.jpg").write_bytes(NEVUS.read_bytes())
    (tmp_path / "bad.png").write_bytes(b"\x89PNG")
    root = Path(__file__).resolve().parents[2]

    ended = subprocess.run(
        [sys.executable, "manage.py", "predict", str(tmp_path)], cwd=root, capture_output=True, text=True, check=False
    )

    assert ended.returncode == 1
    assert ended.stdout.splitlines()[0] == ",".join(HEADER)
    assert "2/2" in ended.stderr
    assert "bad.png" in ended.stderr
