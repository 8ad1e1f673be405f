"""Every experiment in research/ runs, with sizes that say nothing: what it calls has not changed under it."""

import re

import pytest

from tests.benchmarks.alone import run_alone

# The whole run of a script takes seconds, however small.
pytestmark = pytest.mark.slow

WITH_DATA = (
    "abcd", "damaged", "drift", "heat_map", "int8", "neighbours", "papers", "quality", "refusals", "retrain_heads",
    "source_probe", "watch_alerts",
)  # fmt: skip
# They train networks, for minutes at the very least: here they begin, and miss their data.
OF_HOURS = ("ablations", "agreement", "first_networks", "retrain", "retrain_elsewhere")


def test_abcd(run_experiment, small_data):
    printed = run_experiment("abcd", small_data / "ham10000", "--each", 1)

    assert "100% of 1" in printed
    assert "outline and measures" in printed


def test_agreement_with_tensorflow_on_the_shipped_file(run_experiment, few_photographs):
    pytest.importorskip("tensorflow")
    pytest.importorskip("onnx")

    printed = run_experiment("agreement", few_photographs / "ham10000", "--count", 2)

    assert "2 photographs: the same class first 100.00%" in printed


def test_drift(run_experiment, small_data, features):
    printed = run_experiment("drift", small_data / "ham10000", "--cache", features, "--ordinary", 200, "--changed", 20)

    assert "200 ordinary uploads, 6 looks" in printed
    assert "after the cast" in printed


@pytest.mark.django_db
def test_watch_alerts(run_experiment, small_data, features):
    printed = run_experiment(
        "watch_alerts", small_data / "ham10000", "--cache", features, "--streams", 1, "--labels", 60
    )

    assert "all are read: 1 streams" in printed
    assert "classes out of order: agreement noticed after 50 labels" in printed


def test_heat_map(run_experiment, small_data):
    printed = run_experiment("heat_map", small_data / "ham10000", "--each", 1, "--compare", "block13")

    assert "all (7 photographs of 7 lesions)" in printed
    assert "block13 + block14 (as it is)" in printed


def test_heat_map_of_redrawn_weights(run_experiment, small_data, monkeypatch):
    from mlmodel.network.stages import STAGES

    # Of the cascade only its last step: each is a backbone of its own to be made and loaded.
    monkeypatch.setattr("research.randomised_weights.STAGES", STAGES[-1:])
    printed = run_experiment("heat_map", small_data / "ham10000", "--each", 1, "--randomise")

    assert re.search(r"same weights +1\.000", printed)


def test_int8(run_experiment, small_data):
    printed = run_experiment("int8", small_data / "ham10000", "--count", 2, "--calibrated-on", 1, "--timed", 1)

    assert re.search(r"eight bits +\d+\.\d MB", printed)


def test_neighbours(run_experiment, small_data, features):
    assert re.search(
        r"numpy, in memory +0\.0 s.* 1\.000", run_experiment("neighbours", "--count", 500, "--queries", 20)
    )
    assert "as served" in run_experiment("neighbours", small_data, "--features", features)


@pytest.mark.django_db
def test_neighbours_of_a_clinic(run_experiment):
    printed = run_experiment("neighbours", "--database", "--count", 400, "--queries", 5, "--wait", 0)

    assert "400 confirmed photographs of 100 lesions" in printed


def test_quality(run_experiment, few_photographs):
    printed = run_experiment("quality", few_photographs)

    assert re.search(r"as they are +0\.0", printed)
    assert "judge(4000x3000)" in printed


def test_refusals(run_experiment, small_data):
    printed = run_experiment("refusals", small_data, "--ham10000", small_data / "ham10000")

    assert re.search(r"fold 7 .*of 12", printed)
    assert "is there a lesion" in printed


def test_same_lesion(run_experiment, small_data, features, tmp_path):
    published, folder = small_data / "ham10000", tmp_path / "ham10000"
    folder.mkdir()
    (folder / "images").symlink_to(published / "images")
    # All photographs of fold 7 are taken for those of one lesion.
    table = (published / "metadata.csv").read_text()
    (folder / "metadata.csv").write_text(re.sub(r"\w+_70,(?=\w+,7,)", "one,", table))
    printed = run_experiment("same_lesion", tmp_path, "--features", features, "--count", 2)

    assert re.search(r"^[1-9]\d* pairs of photographs of one lesion, fold 7", printed, re.MULTILINE)
    assert "log area, scale known" in printed


def test_papers(run_experiment, small_data, features, tmp_path):
    printed = run_experiment("papers", small_data / "ham10000", "--cache", features, "--runs", tmp_path)

    assert "not trained: manage.py train --recipe paper-xception" in printed
    assert "DermaScan, three classes, held-out folds, by lesion" in printed


def test_retrain_heads(run_experiment, small_data, features):
    run_experiment("papers", small_data / "ham10000", "--cache", features)
    printed = run_experiment("retrain_heads", small_data / "ham10000", features, "--only", "seconds")

    assert "s to judge" in printed


def test_source_probe(run_experiment, tmp_path, photograph):
    (tmp_path / "images").mkdir()
    rows = ["image_id,lesion_group,dx,source,fold"]
    for source in ("north", "south"):
        for dx in ("mel", "nv"):
            for number in range(5):
                name = f"{source}_{dx}_{number}"
                (tmp_path / "images" / f"{name}.jpg").write_bytes(photograph)
                rows.append(f"{name},{name},{dx},{source},7")
    (tmp_path / "metadata.csv").write_text("\n".join(rows))

    printed = run_experiment("source_probe", tmp_path, "--least", 5, "--each", 5)

    assert re.search(r"mel +2 +0\.50 +0\.\d\d", printed)
    # One photograph under every name: there is nothing to tell apart.
    assert "mean within 0.500, across 0.500" in printed


def test_promotion(django_db_setup, migrated_database):
    printed = run_alone("research", "promotion", "--seconds 1.5 --askers 1 --processes 1", migrated_database)

    assert "0 failed, 0 mixed" in printed


@pytest.mark.parametrize("name", [*WITH_DATA, *OF_HOURS])
def test_absent_data_is_named(name, tmp_path, run_experiment):
    """Whoever has no HAM10000 reads a sentence, not a traceback."""
    folder = tmp_path / "nowhere"
    others = {"agreement": ["--run", folder], "retrain": [folder], "retrain_heads": [folder]}

    with pytest.raises(
        SystemExit, match=rf"(^There is no .*{re.escape(str(folder))}|^{re.escape(str(folder))}.* does not exist)"
    ):
        run_experiment(name, folder, *others.get(name, []))
