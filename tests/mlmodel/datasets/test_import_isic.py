"""``manage.py import_isic``: every layout of the archive and its challenges becomes the same manifest."""

import json
import shutil
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from mlmodel.datasets.dataset import DatasetError, read_dataset, read_datasets
from mlmodel.datasets.import_manifest import fold_of
from mlmodel.metrics.partial_labels import LABELS
from mlmodel.releases.sources import HAM10000
from tests.mlmodel.ham10000_like import SAMPLES, read_table, write_folds

NAMES = [f"ISIC_00{number:05}" for number in range(8)]
SEVEN = "MEL,NV,BCC,AKIEC,BKL,DF,VASC"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Eight photographs in two folders below one."""
    folder = tmp_path / "clinic"
    for number, (name, sample) in enumerate(zip(NAMES, sorted(SAMPLES.glob("*.jpg")), strict=False)):
        part = folder / ("train" if number % 2 else "test")
        part.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(sample, part / f"{name}.jpg")
    return folder


def imported(folder: Path, *more: str) -> tuple[str, dict[str, dict[str, str]]]:
    out, output = StringIO(), folder.parent / "imported"
    call_command("import_isic", str(folder), "--output", str(output), *more, stdout=out)
    return out.getvalue(), {row["image_id"]: row for row in read_table(output / "manifest.csv")}


def one_hot(columns: str, *places: int) -> str:
    lines = [f"image,{columns}"]
    for name, place in zip(NAMES, places, strict=False):
        lines.append(",".join([name, *("1.0" if n == place else "0.0" for n in range(columns.count(",") + 1))]))
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("table", "labels"),
    [
        pytest.param(one_hot(SEVEN, 0, 1, 2, 3), ["mel", "nv", "bcc", "akiec"], id="2018"),
        pytest.param(
            one_hot("MEL,NV,BCC,AK,BKL,DF,VASC,SCC,UNK", 3, 7, 6), ["akiec", "scc", "vasc"], id="2019, carcinomas"
        ),
        pytest.param(
            f"image_id,melanoma,seborrheic_keratosis\n{NAMES[0]},1.0,0.0\n{NAMES[1]},0.0,1.0\n{NAMES[2]},0.0,0.0",
            ["mel", "bkl", "nv"],
            id="2017: what is neither is a nevus",
        ),
        pytest.param(
            "image_name,patient_id,sex,age_approx,diagnosis,benign_malignant,target\n"
            f"{NAMES[0]},IP_1,male,45,melanoma,malignant,1\n{NAMES[1]},IP_1,male,45,unknown,benign,0\n"
            f"{NAMES[2]},IP_2,female,50,nevus,benign,0\n{NAMES[3]},IP_3,female,50,unknown,malignant,1",
            ["mel", "benign", "nv", "malignant"],
            id="2020: benign, and nothing more is known",
        ),
        pytest.param(
            f"{NAMES[0]},benign\n{NAMES[1]},malignant\n{NAMES[2]},benign", ["benign", "malignant", "benign"],
            id="2016: no names of columns",
        ),
        pytest.param(
            "isic_id,diagnosis_1,diagnosis_2,diagnosis_3,copyright_license\n"
            f"{NAMES[0]},Benign,Benign melanocytic proliferations,Nevus,CC-0\n"
            f"{NAMES[1]},Malignant,Malignant epidermal proliferations,Squamous cell carcinoma,CC-BY\n"
            f"{NAMES[2]},Malignant,,,CC-BY",
            ["nv", "scc", "malignant"],
            id="the archive's own columns",
        ),
    ],
)  # fmt: skip
def test_each_layout_is_read(folder, table, labels):
    (folder / "truth.csv").write_text(table)

    said, rows = imported(folder)

    assert [rows[name]["dx"] for name in NAMES[: len(labels)]] == labels
    assert set(rows) == set(NAMES[: len(labels)])
    assert f"{len(labels)} photographs" in said
    assert f"{8 - len(labels)} files are in no row" in said


def test_tables_of_lesions_and_patients_are_joined_and_a_patient_lies_in_one_fold(folder):
    (folder / "truth.csv").write_text(one_hot(SEVEN, 0, 1, 2, 3, 4, 1))
    (folder / "train" / "groups.csv").write_text(
        "image,lesion_id,diagnosis_confirm_type,patient_id,age_approx\n"
        f"{NAMES[0]},IL_1,histopathology,IP_1,60\n{NAMES[1]},IL_2,serial imaging showing no change,IP_1,60\n"
        f"{NAMES[2]},IL_3,single image expert consensus,,\n"
    )

    _, rows = imported(folder, "--source", "Clinic of Lisbon", "--licence", "CC BY 4.0")

    first, second, third, fourth = (rows[name] for name in NAMES[:4])
    assert (first["lesion_group"], first["dx_type"], first["age"]) == ("IL_1", "histo", "60")
    assert (second["dx_type"], third["dx_type"], fourth["dx_type"]) == ("follow_up", "consensus", "")
    assert first["fold"] == second["fold"] == str(fold_of("IP_1"))
    assert fourth["lesion_group"] == NAMES[3]
    assert {row["source"] for row in rows.values()} == {"Clinic of Lisbon"}
    assert {row["licence"] for row in rows.values()} == {"CC BY 4.0"}


def test_sources_and_small_copies_are_told_apart(folder):
    with Image.open(folder / "test" / f"{NAMES[0]}.jpg") as file:
        file.resize((84, 84)).save(folder / "test" / f"{NAMES[0]}.jpg")
    (folder / "metadata.csv").write_text(
        f"image_id,dx,source,licence\n{NAMES[0]},nv,isic2017,CC0\n{NAMES[1]},mel,isic2020,CC BY-NC 4.0\n"
    )
    _, rows = imported(folder)
    assert [(rows[name]["source"], rows[name]["copy"], rows[name]["licence"]) for name in NAMES[:2]] == [
        ("isic2017", "small", "CC0"),
        ("isic2020", "sharp", "CC BY-NC 4.0"),
    ]
    summary = json.loads((folder.parent / "imported" / "summary.json").read_text())
    assert summary["by_source"] == {"isic2017": 1, "isic2020": 1}


def test_one_file_under_two_names_is_kept_once_and_its_lesions_share_a_fold(folder):
    shutil.copyfile(folder / "test" / f"{NAMES[0]}.jpg", folder / "test" / f"{NAMES[2]}.jpg")
    shutil.copyfile(folder / "train" / f"{NAMES[1]}.jpg", folder / "train" / f"{NAMES[3]}.jpg")
    lines = ["image,dx,lesion_id", f"{NAMES[0]},nv,L1", f"{NAMES[2]},nv,L2", f"{NAMES[4]},nv,L2"]
    lines += [f"{NAMES[1]},nv,L3", f"{NAMES[3]},mel,L4", f"{NAMES[5]},bkl,L5"]
    (folder / "truth.csv").write_text("\n".join(lines))

    said, rows = imported(folder)

    assert set(rows) == {NAMES[0], NAMES[4], NAMES[5]}
    assert rows[NAMES[0]]["lesion_group"] == rows[NAMES[4]]["lesion_group"]
    assert rows[NAMES[0]]["fold"] == rows[NAMES[4]]["fold"]
    assert f"{NAMES[2]}: the same file as {NAMES[0]}" in said
    assert f"{NAMES[3]}: the same file has another diagnosis" in said


def test_what_cannot_be_used_is_named_and_left_out(folder):
    (folder / "test" / f"{NAMES[0]}.jpg").write_bytes(b"\xff\xd8\xff no picture")
    lines = ["image,dx,lesion_id,fold", f"{NAMES[0]},nv,,", f"{NAMES[1]},wart,,", f"{NAMES[2]},nv,HAM_0000118,"]
    lines += [f"{NAMES[3]},nv,L1,", f"{NAMES[5]},mel,L1,", f"{NAMES[6]},nv,,middle", "ISIC_9999999,nv,,"]
    lines += [f"{NAMES[7]},mel,,9"]
    (folder / "truth.csv").write_text("\n".join(lines))

    said, rows = imported(folder)

    assert {name: row["fold"] for name, row in rows.items()} == {NAMES[7]: "9"}
    for words in (
        "cannot be decoded", "“wart” is none of akiec", "its lesion is in HAM10000",
        "its lesion has the diagnoses mel and nv",
        "“middle” is not a fold", "has no file and is excluded: ISIC_9999999",
    ):  # fmt: skip
        assert words in said


@pytest.mark.parametrize(
    ("name", "table", "message"),
    [
        ("truth.csv", "image,age\nISIC_0000000,40\n", "No table in .* has diagnoses"),
        ("truth.csv", "image,dx\nISIC_0000000,wart\n", "None of the 1 photographs in the tables can be used: refused"),
        ("truth.csv", f"image,dx\n{NAMES[0]},nv\n{NAMES[0]},mel\n", "is listed twice"),
        ("truth.csv", one_hot("MEL,NV", 0), "lacks the columns bcc, akiec"),
        ("truth.csv", f"image,melanoma,seborrheic_keratosis\n{NAMES[0]},1,1\n", "both classes are 1"),
        ("notes.txt", "nothing", "No table in .* has diagnoses"),
    ],
)
def test_a_folder_that_cannot_be_imported_says_why_and_nothing_is_written(folder, name, table, message):
    (folder / name).write_text(table)
    with pytest.raises(CommandError, match=message):
        imported(folder)
    assert not (folder.parent / "imported").exists()


def test_two_tables_that_disagree_are_refused(folder):
    (folder / "a.csv").write_text(f"image,dx\n{NAMES[0]},nv\n{NAMES[1]},nv\n")
    (folder / "b.csv").write_text(f"image,dx\n{NAMES[0]},mel\n")
    with pytest.raises(CommandError, match=f"{NAMES[0]} is mel here but nv elsewhere"):
        imported(folder)
    _, rows = imported(folder, "--table", str(folder / "a.csv"))
    assert set(rows) == set(NAMES[:2])


def test_importing_again_changes_nothing(folder):
    (folder / "truth.csv").write_text(one_hot(SEVEN, *range(7)))
    imported(folder)
    before = (folder.parent / "imported" / "manifest.csv").read_bytes()
    said, _ = imported(folder)
    assert "is unchanged" in said
    assert (folder.parent / "imported" / "manifest.csv").read_bytes() == before


def test_collections_are_read_together_and_what_two_hold_is_read_once(folder, tmp_path):
    home = write_folds(tmp_path / "home", classes=("mel", "nv"), copies=2)
    (folder / "truth.csv").write_text(one_hot("MEL,NV,BCC,AK,BKL,DF,VASC,SCC,UNK", 0, 7))
    imported(folder, "--source", "Lisbon")
    abroad = folder.parent / "imported"

    both, notes = read_datasets([home, abroad])
    assert notes == []
    assert sorted(set(both.sources.tolist())) == [HAM10000, "Lisbon"]
    assert [LABELS[label] for label in both.labels[-2:]] == ["mel", "scc"]
    assert both.possible_among(("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc"))[-1].tolist() == [
        True, True, False, False, True, False, False,
    ]  # fmt: skip
    assert not both.possible_among(("bcc", "mel", "nv"))[-1].any(), "it may be none of these three"
    assert len({both.sha256, read_dataset(home).sha256, read_datasets([abroad])[0].sha256}) == 3

    rows = read_table(abroad / "manifest.csv")
    rows[0]["image_id"], rows[1]["lesion_group"] = "other", both.lesions[0]
    rows[1]["fold"] = str(both.folds[0])
    from tests.mlmodel.ham10000_like import write_table

    write_table(abroad / "manifest.csv", rows)
    fewer, notes = read_datasets([home, abroad])
    assert len(fewer.paths) == len(both.paths) - 1
    assert "1 photographs in" in notes[0]
    with pytest.raises(DatasetError, match=r"are already in"):
        read_datasets([home, home])
    with pytest.raises(DatasetError, match="not among the seven classes: scc"):
        read_dataset(abroad)
