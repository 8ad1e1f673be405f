"""``manage.py predict`` as a command, on real photographs with the shipped network."""

import csv
import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from mlmodel.network.analyser import get_analyser
from mlmodel.network.in_domain import PhotographClassifier
from tests.conftest import PHOTOGRAPHS
from tests.places import ROOT

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
    assert "this file or folder does not exist" in complaints.getvalue()
    with pytest.raises(CommandError, match="give a file or a folder; the name is empty"):
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
    root = ROOT

    ended = subprocess.run(
        [sys.executable, "manage.py", "predict", str(tmp_path)], cwd=root, capture_output=True, text=True, check=False
    )

    assert ended.returncode == 1
    assert ended.stdout.splitlines()[0] == ",".join(HEADER)
    assert "2/2" in ended.stderr
    assert "bad.png" in ended.stderr


def predict_in(folder: Path, *others) -> tuple[list[list[str]], str, str]:
    """Return the table, standard error, and the error message."""
    target, complaints, ended = folder.parent / "scores.csv", io.StringIO(), ""
    try:
        call_command("predict", str(folder), *map(str, others), "--csv", str(target), stderr=complaints)
    except CommandError as error:
        ended = str(error)
    return list(csv.reader(target.read_text(encoding="utf-8").splitlines())), complaints.getvalue(), ended


def test_a_folder_is_read_by_the_bytes_of_its_files_and_what_is_skipped_is_named(tmp_path):
    folder = tmp_path / "photographs"
    for name in (b"n\xe9vus.jpg", b"plain.gif.jfif", b"CANON_01.HIF", b"no_ending", b"twice/IMG_1.jpg",
                 b"once/IMG_1.jpg", b"once/IMG_1.JPEG", b"z_last.jpg"):  # fmt: skip
        path = os.fsencode(folder) + b"/" + name
        os.makedirs(os.path.dirname(path), exist_ok=True)
        Path(os.fsdecode(path)).write_bytes(NEVUS.read_bytes())
    (folder / "._z_last.jpg").write_bytes(b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        ")
    (folder / ".DS_Store").write_bytes(b"\x00\x00\x00\x01Bud1")
    (folder / "notes.txt").write_text("not a photograph")
    (folder / "scan.pdf").write_bytes(b"%PDF-1.7\n")

    rows, said, ended = predict_in(folder)

    assert ended == ""
    assert {row[0] for row in rows[1:]} == {
        "n\\xe9vus", "plain.gif", "CANON_01", "no_ending", "twice/IMG_1", "once/IMG_1.jpg", "once/IMG_1.JPEG", "z_last"
    }  # fmt: skip
    assert len(rows) == 9
    assert len({tuple(row[1:]) for row in rows[1:]}) == 1, "the same bytes have the same scores"
    assert "3 files are not photographs and were skipped" in said
    assert all(skipped in said for skipped in ("._z_last.jpg", "notes.txt", "scan.pdf"))
    assert ".DS_Store" not in said
    assert "is named n\\xe9vus in the table" in said


def test_control_characters_in_names_reach_no_terminal_and_no_table(tmp_path):
    folder = tmp_path / "photographs"
    folder.mkdir()
    for name in ("two\nlines.jpg", "red\x1b[31m.jpg"):
        (folder / name).write_bytes(NEVUS.read_bytes())
    (folder / "bell\x07.jpg").write_bytes(b"no photograph")
    (folder / "clear\x9b2J.txt").write_text("no photograph")

    rows, said, _ = predict_in(folder)

    assert [row[0] for row in rows[1:]] == ["red\\x1b[31m", "two\\x0alines"]
    assert "bell\\x07.jpg: This file is not a picture" in said
    assert "clear\\x9b2J.txt" in said
    assert not set("\x1b\x07\x9b") & set(said)


def test_a_file_named_as_a_photograph_is_never_passed_over_without_a_word(tmp_path):
    folder = tmp_path / "photographs"
    folder.mkdir()
    (folder / "good.jpg").write_bytes(NEVUS.read_bytes())
    for name in ("empty.jpg", "text.HIF", "zeros.gif"):
        (folder / name).write_bytes({"empty.jpg": b"", "text.HIF": b"text", "zeros.gif": bytes(9000)}[name])

    rows, said, ended = predict_in(folder)

    assert [row[0] for row in rows] == ["image", "good"]
    assert ended == "3 of 4 could not be read; the others were scored."
    assert all(name in said for name in ("empty.jpg", "text.HIF", "zeros.gif"))


def test_a_photograph_given_twice_is_scored_once(tmp_path):
    folder = tmp_path / "photographs"
    folder.mkdir()
    (folder / "good.jpg").write_bytes(NEVUS.read_bytes())
    rows, _said, _ended = predict_in(folder, folder / "good.jpg")
    assert [row[0] for row in rows] == ["image", "good"]


def test_photographs_without_a_dermatoscope_are_named_and_marked_on_request(tmp_path, monkeypatch):
    analyser = get_analyser()
    usual = dict(zip(HEADER[1:], map(float, predict(NEVUS)[1][1:]), strict=True))
    sure = PhotographClassifier(np.zeros_like(analyser.smartphone.weights), bias=10.0, threshold=0.5)
    assert predict(NEVUS, "--reliability")[0] == [*HEADER, "RELIABILITY"]
    assert predict(NEVUS, "--reliability")[1][-1] == "calibrated"
    monkeypatch.setattr(analyser, "smartphone", sure)
    out, told = io.StringIO(), io.StringIO()

    call_command("predict", str(NEVUS), "--reliability", stdout=out, stderr=told)

    header, row = csv.reader(io.StringIO(out.getvalue()))
    assert (header, row[-1]) == ([*HEADER, "RELIABILITY"], "smartphone_not_reliable")
    assert NEVUS.name in told.getvalue()
    assert float(row[2]) < usual["NV"], "it is read with less confidence, as in the clinic"
    assert predict(NEVUS)[0] == HEADER, "the challenge's own format has no such column"
