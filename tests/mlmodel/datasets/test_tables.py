"""One reader of tables: what spreadsheets, archives and people write, through ``evaluate`` and ``import_ham10000``."""

import io
import json
import math
import shutil
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from mlmodel.datasets.diagnosis_names import code_of_diagnosis
from mlmodel.datasets.tables import DataError, number, read_table
from mlmodel.evaluation.isic_sets import read_isic
from mlmodel.evaluation.known_sets import read_phone
from mlmodel.evaluation.test_sets import OUTSIDE, Photographs
from mlmodel.taxonomy import BY_CODE, CODES
from tests.conftest import PHOTOGRAPHS
from tests.mlmodel.ham10000_like import read_table as read_rows
from tests.mlmodel.ham10000_like import sample_labels, write_kaggle_layout

LABELS = sample_labels()
ONE_HOT = ("MEL", "NV", "BCC", "AKIEC", "BKL", "DF", "VASC")


def one_hot(columns=ONE_HOT, separator=",", one="1.0", nil="0.0", ending="", end="\n", akiec="AKIEC") -> str:
    """The truth of the sample photographs with a column for each class."""
    lines = [separator.join(("image", *columns))]
    for name, dx in LABELS.items():
        told = akiec if dx == "akiec" else dx.upper()
        lines.append(separator.join((f"{name}{ending}", *(one if column == told else nil for column in columns))))
    return end.join(lines) + end


def read(tmp_path: Path, truth: str | bytes, metadata: str | None = None) -> Photographs:
    path = tmp_path / "truth.csv"
    path.write_bytes(truth if isinstance(truth, bytes) else truth.encode())
    other = None
    if metadata is not None:
        other = tmp_path / "metadata.csv"
        other.write_text(metadata, newline="")
    return read_isic(PHOTOGRAPHS, path, other)


NAMED_IN_WORDS = "image\tdx\tPatientin\r\n" + "".join(
    f"{name}\t{'Bowen’s disease' if dx == 'akiec' else BY_CODE[dx].name}\tŽofia\r\n" for name, dx in LABELS.items()
)
SPELLINGS: dict[str, str | bytes] = {
    "commas": one_hot(),
    "semicolons, decimal commas": one_hot(separator=";", one="1,0", nil="0,0", end="\r\n"),
    "tabs": one_hot(separator="\t"),
    "bars": one_hot(separator="|"),
    "byte order mark": b"\xef\xbb\xbf" + one_hot().encode(),
    "UTF-16 with tabs, as Excel's Unicode text": one_hot(separator="\t").encode("utf-16"),
    "UTF-16 without a mark": NAMED_IN_WORDS.encode("utf-16-le"),
    "UTF-16 of the other order without a mark": NAMED_IN_WORDS.encode("utf-16-be"),
    "UTF-32": NAMED_IN_WORDS.encode("utf-32"),
    "a line that names the separator": "sep=;\r\n" + one_hot(separator=";", end="\r\n"),
    "a quoted line that names the separator": '"sep=;"\r\n' + one_hot(separator=";", end="\r\n"),
    "a line that names the tab": "sep=\t\r\n" + one_hot(separator="\t", end="\r\n"),
    "empty lines before": "\n\n" + one_hot(),
    "empty columns after": one_hot().replace("\n", ",,\n"),
    "empty rows after": one_hot() + ",,,,,,,\n\n,,,,,,,\n",
    "endings of files": one_hot(ending=".jpg"),
    "endings in capitals": one_hot(ending=".JPEG"),
    "folders": one_hot().replace("ISIC_", "train/ISIC_"),
    "folders of Windows": one_hot().replace("ISIC_", "C:\\photographs\\ISIC_"),
    "old line ends": one_hot(end="\r"),
    "quotes": one_hot().replace("ISIC_0024310", '"ISIC_0024310"').replace("image", '"image"'),
    "capitals and blanks": one_hot().replace("image", " Image ").replace("MEL", " mel "),
    "another name of the first column": one_hot().replace("image", "isic_id"),
    "a numbered first column without a name": "".join(
        f"{'' if index == 0 else index},{line}\n" for index, line in enumerate(one_hot().splitlines())
    ),
    "ISIC 2019": one_hot((*(c if c != "AKIEC" else "AK" for c in ONE_HOT), "SCC", "UNK"), akiec="AK"),
    "codes": "image,dx\n" + "".join(f"{name},{dx}\n" for name, dx in LABELS.items()),
    "codes in capitals": "image,dx\n" + "".join(f"{name},{dx.upper()}\n" for name, dx in LABELS.items()),
    "names": "image_id;diagnosis\n" + "".join(f"{name};{BY_CODE[dx].name}\n" for name, dx in LABELS.items()),
}


@pytest.mark.parametrize("name", SPELLINGS)
def test_a_truth_says_the_same_however_it_is_written(name, tmp_path):
    photographs = read(tmp_path, SPELLINGS[name])

    said = {
        path.stem: CODES[label] for path, label in zip(photographs.paths, photographs.labels.tolist(), strict=True)
    }
    assert said == LABELS
    assert len(set(photographs.lesions.tolist())) == 12


def test_what_was_left_out_of_a_table_is_counted(tmp_path):
    numbered = "".join(f"{index or ''},{line}\n" for index, line in enumerate(one_hot().splitlines()))
    photographs = read(tmp_path, numbered + ",,,,,,,,\n" * 3)

    assert "truth.csv: 3 empty rows were skipped." in photographs.notes
    assert "truth.csv: values in columns without a name were skipped (12 rows)." in photographs.notes


def test_classes_of_isic_2019_that_are_none_of_the_seven_are_told_with_how_many(tmp_path):
    lines = one_hot((*ONE_HOT, "SCC", "UNK")).splitlines()
    for line, column in ((1, "SCC"), (2, "SCC"), (3, "UNK")):
        name = lines[line].split(",")[0]
        lines[line] = ",".join((name, *("1.0" if each == column else "0.0" for each in (*ONE_HOT, "SCC", "UNK"))))
    photographs = read(tmp_path, "\n".join(lines) + "\n")

    said = "3 photographs show none of the seven classes and are excluded from the results: scc (2), unk (1)."
    assert said in photographs.notes


NAMED = {
    "akiec": ("actinic keratosis", "Actinic Keratoses", "Bowen's disease", "Bowen’s disease", "AK", "ACK"),
    "bcc": ("basal cell carcinoma", "Basal_Cell_Carcinoma"),
    "bkl": ("seborrheic keratosis", "Seborrhoeic keratosis", "SEK", "solar lentigo", "pigmented benign keratosis"),
    "mel": ("melanoma", "Melanoma", "malignant melanoma", "melanoma in situ"),
    "nv": ("nevus", "Melanocytic nevi", "naevus", "NEV"),
    "vasc": ("vascular lesion", "hemangioma"),
    "scc": ("squamous cell carcinoma", "SCC"),
    "unk": ("unknown", "UNK"),
}


@pytest.mark.parametrize(("code", "name"), [(code, name) for code, names in NAMED.items() for name in names])
def test_a_diagnosis_is_known_by_its_names(code, name):
    assert code_of_diagnosis(name) == code


def test_names_that_were_read_and_classes_left_out_are_told_with_how_many(tmp_path):
    rows = {**LABELS, "ISIC_0024310": "melanoma", "ISIC_0024315": "melonoma", "ISIC_0024320": "dermatitis",
            "ISIC_0024322": "dermatitis", "ISIC_0024327": "scc"}  # fmt: skip
    photographs = read(tmp_path, "image,dx\n" + "".join(f"{name},{dx}\n" for name, dx in rows.items()))

    assert (photographs.labels == OUTSIDE).sum() == 4
    notes = " ".join(photographs.notes)
    assert "“melanoma” as mel (1)" in notes
    assert "4 photographs show none of the seven classes" in notes
    assert "dermatitis (2)" in notes
    assert "melonoma (1; did you mean mel?)" in notes


@pytest.mark.parametrize("nothing", ["NA", "na", "N/A", "nan", "NaN", "null", "None", "#N/A", "-", "–", "?", "", " "])
def test_a_missing_value_is_no_lesion_and_no_subgroup(nothing, tmp_path):
    metadata = "image,lesion_id,sex,age,site,source,skin_type\n" + "".join(
        f"{name},{nothing if dx == 'nv' else name},{nothing},{nothing},{nothing},{nothing},{nothing}\n"
        for name, dx in LABELS.items()
    )
    photographs = read(tmp_path, one_hot(), metadata)

    assert len(set(photographs.lesions.tolist())) == 12
    assert photographs.traits == {}
    nevi = list(LABELS.values()).count("nv")
    assert f"{nevi} photographs have no lesion number; each counts as a separate lesion." in photographs.notes


def test_words_for_what_is_not_known_are_no_subgroup_either(tmp_path):
    metadata = "image,sex,site,age\n" + "".join(f"{name},Unknown,unknown,unknown\n" for name in LABELS)
    assert read(tmp_path, one_hot(), metadata).traits == {}


def test_two_rows_of_one_photograph_that_differ_are_refused(tmp_path):
    with pytest.raises(DataError, match="line 3: ISIC_0024310 is listed twice with different values"):
        read(tmp_path, one_hot(), "image,sex\nISIC_0024310,f\nISIC_0024310.jpg,m\n")


@pytest.mark.parametrize(
    "rows",
    ['ISIC_0024310,mel,"6 mm\nISIC_0024312,nv,\nISIC_0024315,nv,\n', 'ISIC_0024310,mel,"6" wide"\nISIC_0024312,nv,\n'],
)
def test_a_quotation_mark_that_is_not_closed_swallows_no_rows(rows, tmp_path):
    with pytest.raises(DataError, match=r"line 2: .*quotation mark"):
        read(tmp_path, "image,dx,notes\n" + rows)


@pytest.mark.parametrize("start", [b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"])
def test_a_workbook_by_another_name_is_called_one(start, tmp_path):
    with pytest.raises(DataError, match="is a workbook"):
        read(tmp_path, start + bytes(600))


@pytest.mark.parametrize("header", ["a" * 100_000, ",".join(f"c{number}" for number in range(20_000))])
def test_a_refusal_names_some_columns_and_not_thousands(header, tmp_path):
    with pytest.raises(DataError, match="lacks the columns image") as refused:
        read(tmp_path, f"{header}\n1\n")
    assert len(str(refused.value)) < 1_000


def test_smartphone_labels_are_read_by_the_same_reader(tmp_path):
    shutil.copy(PHOTOGRAPHS / "ISIC_0024310.jpg", tmp_path / "PAT_1_2_3.jpg")
    (tmp_path / "labels.csv").write_text("sep=;\nimg_id;diagnostic;age;\nPAT_1_2_3.png;Melanoma;NA;\n")
    photographs = read_phone(tmp_path)
    assert photographs.labels.tolist() == [CODES.index("mel")]
    assert photographs.traits == {}


def test_lines_are_counted_as_an_editor_counts_them(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text('sep=,\n\na,b\n1,"two\nlines"\n\n3,4\n')
    first, second = read_table(path).rows
    assert (first.line, dict(first)) == (4, {"a": "1", "b": "two lines"})
    assert (second.line, dict(second)) == (7, {"a": "3", "b": "4"})


@given(
    st.lists(st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1), min_size=2, max_size=5),
    st.sampled_from([",", ";", "\t", "|"]),
)
def test_any_words_come_back_whole(tmp_path_factory, words, separator):
    path = tmp_path_factory.mktemp("tables") / "table.csv"
    columns = separator.join(f"c{index}" for index in range(len(words)))
    path.write_text(f"{columns}\n{separator.join(words)}\n", encoding="utf-8", newline="")
    missing = {"na", "nan", "null", "none", "nil"}
    row = read_table(path).rows[0] if set(map(str.lower, words)) - missing else None
    if row is not None:
        assert list(row.values()) == ["" if word.lower() in missing else word for word in words]


@given(st.binary(max_size=300))
def test_whatever_a_file_holds_is_read_or_refused_in_words(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("tables") / "table.csv"
    path.write_bytes(data)
    try:
        table = read_table(path)
    except DataError as error:
        assert str(path) in str(error)  # noqa: PT017
    else:
        assert all(set(row) == set(table.columns) for row in table.rows)


@pytest.mark.parametrize(("text", "value"), [("1", 1), ("55.0", 55), ("55,5", 55.5), ("1e2", 100)])
def test_numbers_have_a_point_or_a_decimal_comma(text, value):
    assert math.isclose(number(text), value)


@pytest.mark.parametrize("text", ["", "nan", "inf", "-inf", "1,0,0", "one", "1.000,5"])
def test_what_is_no_finite_number_is_none(text):
    with pytest.raises(ValueError):  # noqa: PT011
        number(text)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return write_kaggle_layout(tmp_path / "archive")


def imported(archive: Path) -> tuple[str, list[dict[str, str]]]:
    out, output = io.StringIO(), archive.parent / "imported"
    call_command("import_ham10000", str(archive), "--output", str(output), stdout=out)
    return out.getvalue(), read_rows(output / "manifest.csv")


@pytest.mark.parametrize(
    ("name", "separator", "ending"),
    [
        ("HAM10000_metadata.tab", "\t", ""),
        ("HAM10000_metadata", "\t", ""),
        ("HAM10000_metadata.csv", ";", ".jpg"),
        ("ham10000_metadata.tsv", "\t", ".JPG"),
        ("Metadata.CSV", ",", ""),
    ],
)
def test_ham10000_is_found_however_its_table_is_called_and_written(archive, name, separator, ending):
    table = archive / "HAM10000_metadata.csv"
    lines = [line.split(",") for line in table.read_text().splitlines()]
    table.unlink()
    for line in lines[1:]:
        line[1] += ending
        line[2] = {"mel": "Melanoma", "nv": "nevus"}.get(line[2], line[2])
    (archive / name).write_text("".join(separator.join([*line, "", ""]) + "\r\n" for line in lines), newline="")

    said, rows = imported(archive)

    assert {row["image_id"]: row["dx"] for row in rows} == LABELS
    assert "12 photographs (" in said


def test_photographs_of_ham10000_are_known_by_their_bytes(archive):
    photographs = sorted(archive.rglob("*.jpg"))
    photographs[0].rename(photographs[0].with_suffix(".JPG"))
    photographs[1].rename(photographs[1].with_suffix(".jfif"))
    photographs[2].with_name(f"._{photographs[2].name}").write_bytes(b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X")
    said, rows = imported(archive)
    assert len(rows) == 12
    assert "cannot be decoded" not in said
    assert "ignored" not in said


def test_a_missing_lesion_number_merges_nothing(archive):
    table = archive / "HAM10000_metadata.csv"
    table.write_text(table.read_text().replace("HAM_0000003,", "NA,").replace("HAM_0000005,", "NA,"))
    said, rows = imported(archive)
    assert len(rows) == 10
    assert "2 rows cannot be used" in said


def test_a_photograph_whose_name_is_not_utf8_is_named_and_stops_nothing(archive):
    photograph = sorted(archive.rglob("*.jpg"))[0]
    photograph.rename(photograph.parent / b"n\xe9vus.jpg".decode("utf-8", "surrogateescape"))
    said, rows = imported(archive)
    assert len(rows) == 11
    assert "n\\xe9vus" in said


def test_folds_written_as_a_spreadsheet_does_are_kept_and_others_named(archive):
    table = archive / "HAM10000_metadata.csv"
    header, *lines = table.read_text().splitlines()
    folds = iter(["3.0", *["4"] * 10, "4.5"])
    table.write_text("\n".join([f"{header},fold", *(f"{line},{next(folds)}" for line in lines)]) + "\n")
    said, rows = imported(archive)
    assert [row["fold"] for row in rows] == ["3", *["4"] * 10]
    assert "“4.5” is not a fold" in said


@pytest.mark.slow
def test_evaluate_says_on_the_terminal_what_it_left_out(tmp_path):
    truth = tmp_path / "truth.csv"
    truth.write_text("image;dx;;\nISIC_0024310;melanoma;;\nISIC_0024327.jpg;nv;;\nISIC_0024320;dermatitis;;\n;;;\n")
    complaints = io.StringIO()
    call_command(
        "evaluate", "--images", str(PHOTOGRAPHS), "--truth", str(truth), "--output", str(tmp_path / "report"),
        "--latency", "0", "--pictures", "0", stdout=io.StringIO(), stderr=complaints,
    )  # fmt: skip

    found = json.loads((tmp_path / "report" / "report.json").read_text())["sets"][0]
    assert found["classes"]["mel"]["photographs"] == 1
    assert [(each["diagnosis"], each["photographs"]) for each in found["outside"]] == [("dermatitis", 1)]
    for words in ("“melanoma” as mel (1)", "dermatitis (1)", "1 empty row was skipped", "9 photographs have no row"):
        assert words in complaints.getvalue()


def test_a_run_of_another_table_is_refused_in_words(tmp_path):
    (tmp_path / "epochs.csv").write_text("loss;accuracy;watched_loss;watched_accuracy\nhigh;1;1;1\n")
    with pytest.raises(CommandError, match="loss is “high”, which is not a number"):
        call_command("evaluate", "--images", PHOTOGRAPHS, "--truth", PHOTOGRAPHS / "labels.csv", "--run", tmp_path)
