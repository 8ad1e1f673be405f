"""``manage.py evaluate`` as a command: the twelve sample photographs written as a set in the ISIC format."""

import csv
import io
import json
import re
import shutil
from collections.abc import Mapping, Sequence
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from mlmodel.evaluation.model_card import how_asked
from mlmodel.network.analyser import get_analyser
from mlmodel.taxonomy import CODES
from tests.conftest import PHOTOGRAPHS

ISIC = ("MEL", "NV", "BCC", "AKIEC", "BKL", "DF", "VASC")
SAMPLES = list(csv.DictReader((PHOTOGRAPHS / "labels.csv").read_text().splitlines()))


def evaluate(*arguments) -> tuple[str, str]:
    out, complaints = io.StringIO(), io.StringIO()
    call_command("evaluate", *map(str, arguments), "--latency", "0", stdout=out, stderr=complaints)
    return out.getvalue(), complaints.getvalue()


def write_rows(path: Path, rows: Sequence[Mapping[str, object]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def truth_row(image: str, code: str, **others: object) -> dict[str, object]:
    return {"image": image, **{column: int(column.lower() == code) for column in ISIC}, **others}


@pytest.fixture(scope="module")
def isic(tmp_path_factory) -> tuple[Path, Path, Path]:
    """A folder of the samples with one that cannot be read, a truth that knows one more, and metadata."""
    folder = tmp_path_factory.mktemp("isic")
    images = folder / "images"
    images.mkdir()
    for sample in SAMPLES:
        shutil.copy(PHOTOGRAPHS / f"{sample['image']}.jpg", images)
    (images / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 and no more")
    (images / "nobody_asked.jpg").write_bytes(b"")
    rows = [truth_row(sample["image"], sample["dx"]) for sample in SAMPLES]
    rows += [truth_row("broken", "nv"), truth_row("never_sent.jpg", "mel")]
    truth = write_rows(folder / "truth.csv", rows)
    traits = [
        {
            "image": s["image"],
            "age_approx": s["age"],
            "sex": s["sex"],
            "anatom_site_general": "<script>alert(1)</script>",
        }
        for s in SAMPLES
    ]
    return images, truth, write_rows(folder / "metadata.csv", traits)


@pytest.fixture(scope="module")
def report(isic, tmp_path_factory) -> tuple[Path, str, str]:
    images, truth, metadata = isic
    run = tmp_path_factory.mktemp("run")
    (run / "epochs.csv").write_text(
        "steps_taken,phase,epoch,side,loss,accuracy,watched_loss,watched_accuracy,watched_balanced_accuracy\n"
        "10,1,1,128,2.5,0.3,1.5,0.5,0.4\n20,1,2,128,1.5,0.5,1.2,0.6,0.5\n"
    )
    output = tmp_path_factory.mktemp("report")
    said = evaluate(
        "--images", images, "--truth", truth, "--metadata", metadata, "--name", "Twelve & more", "--run", run,
        "--robustness", "4", "--output", output,
    )  # fmt: skip
    return output, *said


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.sources: list[str] = []
        self.open: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        assert not [name for name, _ in attrs if name == "style" or name.startswith("on")]
        self.sources += [value for name, value in attrs if name == "src"]
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in {"meta", "img", "br", "hr"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)


@pytest.mark.slow
def test_the_page_needs_nothing_else_and_cannot_be_written_into(report):
    output, _, _ = report
    text = (output / "report.html").read_text()
    page = _Page()
    page.feed(text)

    assert not page.open, "every element is closed"
    assert "script" not in page.tags
    assert "&lt;script&gt;alert(1)" in text.lower()
    assert page.sources
    assert all(source.startswith("data:image/jpeg;base64,") for source in page.sources)
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text.replace("https://doi.org", ""))
    assert text.count("<style") == 1, "the only style is that whose hash the site allows"
    assert len(page.ids) == len(set(page.ids))
    for part in (
        "Twelve &amp; more",
        "Decision support, not a diagnosis",
        "Confusion matrix",
        "Robustness",
        "2 epochs",
    ):
        assert part in text


@pytest.mark.slow
def test_it_says_how_many_views_the_network_averaged(report):
    views = json.loads((report[0] / "report.json").read_text())["network"]["views"]

    assert views == str(get_analyser().engine.views)
    assert how_asked(int(views)) in (report[0] / "report.html").read_text()
    assert "analysed once" in how_asked(1)
    assert "averages over 4 views" in how_asked(4)


@pytest.mark.slow
def test_a_page_rendered_again_is_the_same_and_keeps_its_pictures(report, tmp_path):
    output, _, _ = report
    copied = Path(shutil.copytree(output, tmp_path / "copy"))
    page = copied / "report.html"
    # What another version wrote around the pictures is lost.
    page.write_text(page.read_text().replace("<style>", "<style>p { color: red }"))

    call_command("evaluate", render=copied, stdout=io.StringIO())

    assert page.read_text() == (output / "report.html").read_text()
    assert "data:image/jpeg" in page.read_text()
    assert (copied / "report.json").read_bytes() == (output / "report.json").read_bytes()


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"sets": []}', '{"sets": [{"mistakes": {}}]}'])
def test_what_is_no_report_is_not_rendered(content, tmp_path):
    if content is not None:
        (tmp_path / "report.json").write_text(content)

    with pytest.raises(CommandError, match=r"report\.json cannot be read as an evaluation report"):
        call_command("evaluate", render=tmp_path)
    assert not (tmp_path / "report.html").exists()


@pytest.mark.slow
def test_the_figures_are_those_of_the_application(report):
    output, said, _ = report
    facts = json.loads((output / "report.json").read_text())
    found = facts["sets"][0]

    assert facts["network"]["sha256"] == get_analyser().sha256
    assert (found["photographs"], found["lesions"]) == (12, 12)
    assert sum(map(sum, found["subsets"]["lesions"]["confusion"]["calibrated"])) == 12
    right = np.trace(np.array(found["subsets"]["lesions"]["confusion"]["calibrated"]))
    assert found["subsets"]["lesions"]["figures"]["accuracy"]["value"] == pytest.approx(right / 12, abs=1e-6)
    assert found["classes"]["mel"] == {"photographs": 3, "lesions": 3}
    assert "Twelve & more: 12 photographs, 12 lesions" in said
    assert len(facts["training"]["epochs"]) == 2
    assert facts["latency"] is None


@pytest.mark.slow
def test_what_was_left_out_is_counted_and_named(report):
    output, _, complaints = report
    found = json.loads((output / "report.json").read_text())["sets"][0]
    page = (output / "report.html").read_text()

    assert "1 row of the ground truth has no photograph and was excluded: never_sent" in complaints
    assert "broken.jpg" in complaints
    assert "nobody_asked" in complaints
    assert len(found["unreadable"]) == 1
    assert "never_sent" in page
    assert "broken.jpg" in page


@pytest.mark.slow
def test_groups_too_small_to_say_anything_say_so(report):
    output, _, _ = report
    found = json.loads((output / "report.json").read_text())["sets"][0]

    assert set(found["subgroups"]) == {"age", "sex", "site"}
    assert sum(group["lesions"] for group in found["subgroups"]["age"]) == 12
    assert all(value is None for group in found["subgroups"]["sex"] for value in group["figures"].values())
    assert "too few lesions" in (output / "report.html").read_text()


@pytest.mark.slow
def test_robustness_is_measured_and_a_mistake_has_its_picture_in_the_page_only(report):
    output, _, _ = report
    facts = json.loads((output / "report.json").read_text())

    changes = {(each["kind"], each["name"]): each for each in facts["robustness"]["changes"]}
    assert {kind for kind, _ in changes} == {"softening", "JPEG", "brightness", "rotation", "colour cast"}
    assert all(0 <= each["mean_move"]["value"] <= 1 for each in changes.values())
    assert any(each["mean_move"]["value"] > 0 for each in changes.values())
    mistakes = facts["sets"][0]["mistakes"]
    assert all("picture" not in each for kind in mistakes.values() for each in kind)


@pytest.mark.slow
def test_a_table_of_diagnoses_does_as_well_and_other_classes_stand_apart(tmp_path):
    rows = [
        {"image": "ISIC_0024310", "dx": "mel", "lesion": "a"},
        {"image": "ISIC_0024327.jpg", "dx": "nv", "lesion": "b"},
        {"image": "ISIC_0024320", "dx": "scc", "lesion": "c"},
    ]
    truth = write_rows(tmp_path / "truth.csv", rows)

    evaluate("--images", PHOTOGRAPHS, "--truth", truth, "--output", tmp_path / "report", "--pictures", 0)

    found = json.loads((tmp_path / "report" / "report.json").read_text())["sets"][0]
    assert found["photographs"] == 2
    assert [(each["diagnosis"], each["photographs"]) for each in found["outside"]] == [("scc", 1)]
    assert found["mistakes"] == {"missed_melanomas": [], "confident_and_wrong": []}
    figures = found["subsets"]["lesions"]["figures"]
    assert figures["class.vasc.sensitivity"] is None
    assert (
        "SCC is not one of the seven classes. Photographs excluded from all results: 1."
        in (tmp_path / "report" / "report.html").read_text()
    )


@pytest.mark.slow
def test_ham10000s_folder_is_judged_on_its_locked_folds(tmp_path):
    folder = tmp_path / "ham10000"
    (folder / "images").mkdir(parents=True)
    rows = []
    for number, sample in enumerate(SAMPLES[:4]):
        shutil.copy(PHOTOGRAPHS / f"{sample['image']}.jpg", folder / "images")
        rows.append(
            {
                "image_id": sample["image"], "lesion_id": f"L{number}", "lesion_group": f"L{number}",
                "dx": sample["dx"], "age": sample["age"], "sex": sample["sex"], "localization": sample["localization"],
                "source": "sharp" if number % 2 else "soft", "fold": number + 6,
            }
        )  # fmt: skip
    write_rows(folder / "metadata.csv", rows)

    evaluate("--data", folder, "--output", tmp_path / "report", "--cache", tmp_path / "cache")

    found = json.loads((tmp_path / "report" / "report.json").read_text())["sets"][0]
    assert found["name"] == "HAM10000, folds 8, 9"
    assert found["photographs"] == 2
    assert {"lesions", "photographs", "sharp"} == set(found["subsets"])
    assert [group["group"] for group in found["subgroups"]["source"]] == ["sharp", "soft"]
    with pytest.raises(CommandError, match="no photographs in folds 3"):
        evaluate("--data", folder, "--folds", "3", "--output", tmp_path / "none")


@pytest.mark.slow
def test_photographs_of_other_clinics_are_judged_by_source(isic, tmp_path):
    images, truth, _metadata = isic
    folder = tmp_path / "elsewhere"
    (folder / "images").mkdir(parents=True)
    benign = {"nv", "bkl", "df", "vasc"}
    rows = [
        {
            "image_id": f"{source}_{turn}_{sample['image']}", "lesion_group": f"{source}_{turn}_{sample['image']}",
            "dx": ("benign" if sample["dx"] in benign else sample["dx"]) if source == "south" else sample["dx"],
            "source": source, "fold": 8 if turn else 0,
        }
        for source in ("north", "south") for turn in range(4) for sample in SAMPLES
    ]  # fmt: skip
    for row in rows:
        copied = str(row["image_id"]).split("_", 2)[2]
        shutil.copy(PHOTOGRAPHS / f"{copied}.jpg", folder / "images" / f"{row['image_id']}.jpg")
    write_rows(folder / "metadata.csv", rows)
    (folder / "images" / f"{rows[-1]['image_id']}.jpg").write_bytes(b"\xff\xd8\xff\xe0 and no more")

    _, complaints = evaluate(
        "--images", images, "--truth", truth, "--collection", folder, "--output", tmp_path / "report"
    )

    assert str(rows[-1]["image_id"]) in complaints
    found = json.loads((tmp_path / "report" / "report.json").read_text())["by_source"]
    assert {name: (each["photographs"], each["malignant"]) for name, each in found.items()} == {
        "north": (36, 3 * sum(s["dx"] not in benign for s in SAMPLES)),
        "south": (35, 3 * sum(s["dx"] not in benign for s in SAMPLES) - (SAMPLES[-1]["dx"] not in benign)),
    }
    # The same photographs are as well told apart, whatever else is known of them.
    areas = [each["figures"]["malignant_auc"]["value"] for each in found.values()]
    assert areas[0] == pytest.approx(areas[1], abs=0.05)
    assert (
        found["north"]["figures"]["watch.sensitivity"]["low"]
        <= found["north"]["figures"]["watch.sensitivity"]["value"]
    )
    assert found["south"]["behind"]["watch.sensitivity"] == found["south"]["malignant"]
    page = (tmp_path / "report" / "report.html").read_text()
    assert 'id="sources"' in page
    assert 'href="#sources"' in page
    with pytest.raises(CommandError, match="no photographs in folds 3"):
        evaluate("--images", images, "--truth", truth, "--collection", folder, "--folds", "3")
    with pytest.raises(CommandError, match="Give photographs to evaluate on"):
        evaluate("--collection", folder)


@pytest.mark.slow
def test_smartphone_photographs_have_their_skin_types(tmp_path):
    shutil.copy(PHOTOGRAPHS / "ISIC_0024310.jpg", tmp_path / "PAT_1_2_3.jpg")
    shutil.copy(PHOTOGRAPHS / "ISIC_0024327.jpg", tmp_path / "PAT_1_2_4.jpg")
    shutil.copy(PHOTOGRAPHS / "ISIC_0024331.jpg", tmp_path / "PAT_5_6_7.jpg")
    rows = [
        {"img_id": "PAT_1_2_3.png", "patient_id": "PAT_1", "diagnostic": "MEL", "age": "60", "fitspatrick": "2.0"},
        {"img_id": "PAT_1_2_4.png", "patient_id": "PAT_1", "diagnostic": "MEL", "age": "60", "fitspatrick": "2.0"},
        {"img_id": "PAT_5_6_7.png", "patient_id": "PAT_5", "diagnostic": "ACK", "age": "70", "fitspatrick": ""},
    ]
    write_rows(tmp_path / "labels.csv", rows)

    evaluate("--phone", tmp_path, "--output", tmp_path / "report")

    found = json.loads((tmp_path / "report" / "report.json").read_text())["sets"][0]
    assert (found["photographs"], found["lesions"]) == (3, 2)
    assert found["classes"]["akiec"]["lesions"] == 1
    assert [group["group"] for group in found["subgroups"]["skin_type"]] == ["II", "not recorded"]


GOOD = ",".join(("image", *ISIC)) + "\n"
HOSTILE = {
    "no file": (None, "cannot be read"),
    "empty": ("", "has no rows"),
    "header only": (GOOD, "has no rows"),
    "no class columns": ("image,MEL\nISIC_0024310,1\n", "lacks the columns nv, bcc"),
    "no image column": ("name,MEL,NV,BCC,AKIEC,BKL,DF,VASC\na,1,0,0,0,0,0,0\n", "lacks the columns image"),
    "blanks": (GOOD.replace(",", " ") + "ISIC_0024310 1 0 0 0 0 0 0\n", "separated by commas, semicolons or tabs"),
    "a longer row": (GOOD + "ISIC_0024310,1,0,0,0,0,0,0,1\n", "line 2: 9 values, but the first line names 8 columns"),
    "no diagnosis": ("image,dx\nISIC_0024310,NA\n", "line 2: dx is empty"),
    "a column twice": ("image,image,dx\na,b,mel\n", "repeats a column name"),
    "two classes": (GOOD + "ISIC_0024310,1,1,0,0,0,0,0\n", "line 2: 2 classes are 1"),
    "no class": (GOOD + "ISIC_0024310,0,0,0,0,0,0,0\n", "line 2: 0 classes are 1"),
    "words": (GOOD + "ISIC_0024310,yes,0,0,0,0,0,0\n", "MEL is “yes”; it must be 0 or 1"),
    "probabilities": (GOOD + "ISIC_0024310,0.7,0.3,0,0,0,0,0\n", "a file of predictions"),
    "not a number": (GOOD + "ISIC_0024310,nan,0,0,0,0,0,0\n", "must be 0 or 1"),
    "a photograph twice": (GOOD + "a,1,0,0,0,0,0,0\na.jpg,1,0,0,0,0,0,0\n", "line 3: a is listed twice"),
    "a row without a name": (GOOD + ",1,0,0,0,0,0,0\n", "line 2: the photograph has no name"),
    "a short row": (GOOD + "ISIC_0024310,1\n", "line 2: NV is “”"),
    "no photograph matches": (GOOD + "../../etc/passwd,1,0,0,0,0,0,0\n", "None of the 1 photographs"),
    "unknown classes": ("image,dx\nISIC_0024310,wart\n", "only wart"),
    "a lesion that is two things": (
        "image,dx,lesion\nISIC_0024310,mel,a\nISIC_0024327,nv,a\n", "1 lesions have photographs with different"
    ),
    "not text": (b"image,dx\n\xff\xfe\xff,mel\n", "not UTF-8"),
    "NUL": (b"image,dx\nISIC\x00_0024310,wart\n", "none of the seven"),
    "an endless field": ("image,dx\n" + "a" * 200_000 + ",mel\n", "a quotation mark that is not closed"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_truth_that_cannot_be_used_says_why(name, tmp_path):
    content, reason = HOSTILE[name]
    truth = tmp_path / "truth.csv"
    if content is not None:
        truth.write_bytes(content if isinstance(content, bytes) else content.encode())

    with pytest.raises(CommandError, match=re.escape(reason)):
        evaluate("--images", PHOTOGRAPHS, "--truth", truth, "--output", tmp_path / "report")
    assert not (tmp_path / "report").exists()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((), "Give photographs to evaluate on"),
        (("--images", PHOTOGRAPHS), "must be given together"),
        (("--phone", "/there/is/none"), "cannot be read"),
        (("--data", "/there/is/none"), "does not exist"),
        (("--data", PHOTOGRAPHS, "--folds", "eight"), "list of numbers"),
        (("--data", PHOTOGRAPHS, "--release", "/there/is/none"), "cannot be loaded"),
        (("--data", PHOTOGRAPHS, "--run", "/there/is/none"), "epochs.csv"),
        (("--data", PHOTOGRAPHS, "--robustness", "-1"), "--robustness must be 0 or more"),
    ],
)
def test_arguments_that_cannot_be_followed_say_why(arguments, reason):
    with pytest.raises(CommandError, match=re.escape(reason)):
        evaluate(*arguments)


def test_codes_are_those_of_the_challenge():
    assert {column.lower() for column in ISIC} == set(CODES)


def test_a_folder_that_cannot_be_written_to_is_told_before_the_first_photograph(isic, tmp_path):
    images, truth, _metadata = isic
    (tmp_path / "file").write_text("no folder")
    complaints = io.StringIO()  # progress, and the photographs that cannot be read, would be told here
    with pytest.raises(CommandError, match=r"is not writable: Not a directory\. Give another folder"):
        call_command("evaluate", images=images, truth=truth, output=tmp_path / "file" / "report", stderr=complaints)
    assert complaints.getvalue() == ""
