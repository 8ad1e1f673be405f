"""``manage.py import_ham10000``: every file is checked, broken ones are excluded, and the manifest is reproducible."""

import hashlib
import json
import shutil
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from mlmodel.datasets.dataset import read_dataset
from mlmodel.datasets.import_manifest import fold_of
from tests.mlmodel.ham10000_like import read_table, write_kaggle_layout, write_table


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return write_kaggle_layout(tmp_path / "archive")


def imported(archive: Path) -> tuple[str, Path]:
    out = StringIO()
    output = archive.parent / "imported"
    call_command("import_ham10000", str(archive), "--output", str(output), stdout=out)
    return out.getvalue(), output


def change(archive: Path, change_rows) -> None:
    table = archive / "HAM10000_metadata.csv"
    rows = read_table(table)
    change_rows(rows)
    write_table(table, rows)


def test_kaggles_layout_becomes_a_manifest_with_the_hash_of_every_file(archive):
    said, output = imported(archive)

    rows = read_table(output / "manifest.csv")
    assert len(rows) == 12
    for row in rows:
        assert row["sha256"] == hashlib.sha256(Path(row["path"]).read_bytes()).hexdigest()
    assert "12 photographs" in said
    assert "is written" in said
    manifest = (output / "manifest.csv").read_bytes()
    assert hashlib.sha256(manifest).hexdigest() == json.loads((output / "summary.json").read_text())["manifest_sha256"]


def test_importing_again_changes_nothing(archive):
    _, output = imported(archive)
    before = (output / "manifest.csv").read_bytes()
    said, _ = imported(archive)
    assert "is unchanged" in said
    assert (output / "manifest.csv").read_bytes() == before


def test_a_changed_photograph_changes_the_manifest(archive):
    _, output = imported(archive)
    before = read_dataset(output).sha256
    photographs = sorted(archive.rglob("*.jpg"))
    shutil.copyfile(photographs[0], photographs[1])
    said, _ = imported(archive)
    assert "is written" in said
    assert read_dataset(output).sha256 != before


def test_training_reads_the_same_data_from_the_manifest_and_from_the_folder(archive, tmp_path):
    _, output = imported(archive)
    folder = tmp_path / "plain"
    (folder / "images").mkdir(parents=True)
    for row in read_table(output / "manifest.csv"):
        shutil.copyfile(row["path"], folder / "images" / f"{row['image_id']}.jpg")
    shutil.copyfile(output / "manifest.csv", folder / "metadata.csv")
    assert read_dataset(folder).sha256 == read_dataset(output).sha256


def test_lesions_known_to_be_one_are_merged_and_share_a_fold(archive):
    def photograph_one_lesion_twice(rows):
        rows[0].update(lesion_id="HAM_0001186", dx="nv")
        rows[1].update(lesion_id="HAM_0000825", dx="nv")

    change(archive, photograph_one_lesion_twice)
    _, output = imported(archive)
    first, second = read_table(output / "manifest.csv")[:2]
    assert first["lesion_group"] == second["lesion_group"] == "HAM_0000825"
    assert first["fold"] == second["fold"]


def test_a_lesion_of_another_data_set_always_gets_the_same_fold(archive):
    change(archive, lambda rows: rows[0].update(lesion_id="CLINIC-17"))
    _, output = imported(archive)
    assert read_table(output / "manifest.csv")[0]["fold"] == str(fold_of("CLINIC-17"))
    assert {fold_of(f"L{n}") for n in range(200)} == set(range(10))


def test_what_is_missing_or_broken_is_reported_and_left_out(archive):
    photographs = sorted(archive.rglob("*.jpg"))
    photographs[0].unlink()
    photographs[1].write_bytes(photographs[1].read_bytes()[:900])
    photographs[2].write_bytes(b"")
    shutil.copyfile(photographs[3], photographs[3].with_name("ISIC_9999999.jpg"))
    said, output = imported(archive)
    assert f"1 photograph in the table has no file and is excluded: {photographs[0].stem}" in said
    assert "2 photographs cannot be decoded" in said
    assert "1 file is in no row and is ignored: ISIC_9999999" in said
    kept = {row["image_id"] for row in read_table(output / "manifest.csv")}
    assert len(kept) == 9
    assert not kept & {path.stem for path in photographs[:3]}


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"dx": "scc"}, "“scc” is none of"),
        ({"dx": ""}, "“” is none of"),
        ({"image_id": ""}, "image_id or lesion_id is empty"),
        ({"lesion_id": ""}, "image_id or lesion_id is empty"),
        ({"image_id": "ISIC_0024331"}, "duplicate image_id"),
    ],
)
def test_a_row_that_cannot_be_used_is_named_and_left_out(archive, values, reason):
    change(archive, lambda rows: rows[2].update(values))
    said, output = imported(archive)
    assert "1 row cannot be used and is excluded" in said
    assert f"row 4 ({values.get('image_id') or ('no image_id' if 'image_id' in values else '')}" in said
    assert reason in said
    assert len(read_table(output / "manifest.csv")) == 11


def test_a_lesion_with_two_diagnoses_is_left_out(archive):
    def contradict(rows):
        rows[0]["lesion_id"] = rows[1]["lesion_id"]

    change(archive, contradict)
    said, output = imported(archive)
    assert "2 rows cannot be used" in said
    assert "its lesion has the diagnoses akiec and bcc" in said
    assert len(read_table(output / "manifest.csv")) == 10


def test_one_file_under_two_lesions_is_reported(archive):
    photographs = sorted(archive.rglob("*.jpg"))
    shutil.copyfile(photographs[0], photographs[1])
    said, _ = imported(archive)
    assert "1 pair of identical files from different lesions" in said


def test_a_lesion_in_two_folds_stops_the_import(archive):
    def split(rows):
        for row in rows:
            row["fold"] = "0"
        rows[0].update(lesion_id="A", dx="nv", fold="3")
        rows[1].update(lesion_id="A", dx="nv")

    change(archive, split)
    with pytest.raises(CommandError, match=r"Lesion A is in folds 3 and 0"):
        imported(archive)
    assert not (archive.parent / "imported" / "manifest.csv").exists()


def spoil_every_photograph(archive: Path) -> None:
    for path in archive.rglob("*.jpg"):
        path.write_bytes(b"no")


def remove_every_photograph(archive: Path) -> None:
    for part in archive.glob("*part*"):
        shutil.rmtree(part)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda archive: shutil.rmtree(archive), "does not exist"),
        (lambda archive: (archive / "HAM10000_metadata.csv").unlink(), "neither HAM10000_metadata.csv nor"),
        (lambda archive: (archive / "HAM10000_metadata.csv").write_text("a,b\n1,2\n"), "lacks the columns"),
        (lambda archive: (archive / "HAM10000_metadata.csv").write_text(""), "has no rows"),
        (lambda archive: (archive / "HAM10000_metadata.csv").write_bytes(b"image_id\xff\n"), "UTF-8"),
        (remove_every_photograph, "contains no photographs"),
        (spoil_every_photograph, "None of the 12 photographs"),
    ],
)
def test_a_folder_that_cannot_be_imported_is_told_why(archive, spoil, message):
    spoil(archive)
    with pytest.raises(CommandError, match=message):
        imported(archive)


def test_a_folder_or_the_download_must_be_asked_for(tmp_path):
    with pytest.raises(CommandError, match="Give the folder of HAM10000, or --download"):
        call_command("import_ham10000")
    with pytest.raises(CommandError, match="Give the folder of HAM10000, or --download"):
        call_command("import_ham10000", str(tmp_path), "--download")
