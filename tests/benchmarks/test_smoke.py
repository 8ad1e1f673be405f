"""Smoke runs of all benchmarks with minimal sizes."""

import re

import pytest

from benchmarks.__main__ import SCRIPTS
from tests.benchmarks.alone import run_alone

# A complete run of a script takes seconds even when small.
pytestmark = pytest.mark.slow

# Scripts with servers, or with two networks to compare: arguments, and a word of the output.
ALONE = {
    "engine": "memory of the engine",
    "uploads": "uploads to rendered result",
    "serving": "× the bare engine",
}
WITH_DATA = (
    "abcd", "damaged", "drift", "heat_map", "int8", "metadata_head", "neighbours", "papers", "quality", "refusals",
    "retrain_heads", "source_probe", "watch_alerts",
)  # fmt: skip
# Scripts that train networks for minutes: here they only start, and report missing data.
OF_HOURS = ("ablations", "agreement", "first_networks", "retrain", "retrain_elsewhere")


@pytest.mark.django_db
def test_pages(run_benchmark):
    printed = run_benchmark("pages", *SCRIPTS["pages"].split())

    assert re.search(r"result +\d+ ms", printed)


@pytest.mark.django_db
def test_review_queue(run_benchmark):
    printed = run_benchmark("review_queue", *SCRIPTS["review_queue"].split())

    assert re.search(r"metrics +\d+ ms", printed)


def test_metadata_head(run_benchmark, small_data, features):
    printed = run_benchmark("metadata_head", small_data / "ham10000", "--features", features, "--seeds", 1)

    rows = dict(re.findall(r"^(image alone|with metadata, [a-z ]+?)  +(\d\.\d+)", printed, re.MULTILINE))
    assert set(rows) == {"image alone", "with metadata, as recorded", "with metadata, none stated"}


def test_drift(run_benchmark, small_data, features):
    printed = run_benchmark("drift", small_data / "ham10000", "--cache", features, "--ordinary", 200, "--changed", 20)

    assert "200 ordinary uploads, 6 looks" in printed
    assert "after the cast" in printed


@pytest.mark.django_db
def test_watch_alerts(run_benchmark, small_data, features):
    printed = run_benchmark(
        "watch_alerts", small_data / "ham10000", "--cache", features, "--streams", 1, "--labels", 60
    )

    assert "all are read: 1 streams" in printed
    assert "classes out of order: agreement noticed after 50 labels" in printed


def test_heat_map(run_benchmark, small_data):
    printed = run_benchmark("heat_map", small_data / "ham10000", "--each", 1, "--compare", "block13")

    assert "all (7 photographs of 7 lesions)" in printed
    assert "block13 + block14 (as it is)" in printed


def test_heat_map_of_randomised_weights(run_benchmark, small_data, monkeypatch):
    from mlmodel.network.stages import STAGES

    # Only the last step of the cascade: each step creates and loads a backbone.
    monkeypatch.setattr("benchmarks.randomised_weights.STAGES", STAGES[-1:])
    printed = run_benchmark("heat_map", small_data / "ham10000", "--each", 1, "--randomise")

    assert re.search(r"same weights +1\.000", printed)


def test_int8(run_benchmark, small_data):
    printed = run_benchmark("int8", small_data / "ham10000", "--count", 2, "--calibrated-on", 1, "--timed", 1)

    assert re.search(r"eight bits +\d+\.\d MB", printed)


def test_training_step(run_benchmark):
    printed = run_benchmark("training_step", "--side", 71, "--batch", 2, "--steps", 1)

    assert re.search(r"quick layers +\d+ ms", printed)


def test_neighbours(run_benchmark, small_data, features):
    assert re.search(
        r"numpy, in memory +0\.0 s.* 1\.000", run_benchmark("neighbours", "--count", 500, "--queries", 20)
    )
    assert "as served" in run_benchmark("neighbours", small_data, "--features", features)


@pytest.mark.django_db
def test_neighbours_of_a_clinic(run_benchmark):
    printed = run_benchmark("neighbours", "--database", "--count", 400, "--queries", 5, "--wait", 0)

    assert "400 confirmed photographs of 100 lesions" in printed


def test_quality(run_benchmark, few_photographs):
    printed = run_benchmark("quality", few_photographs)

    assert re.search(r"as they are +0\.0", printed)
    assert "judge(4000x3000)" in printed


def test_refusals(run_benchmark, small_data):
    printed = run_benchmark("refusals", small_data, "--ham10000", small_data / "ham10000")

    assert re.search(r"fold 7 .*of 12", printed)
    assert "is there a lesion" in printed


def test_papers(run_benchmark, small_data, features, tmp_path):
    printed = run_benchmark("papers", small_data / "ham10000", "--cache", features, "--runs", tmp_path)

    assert "not trained: manage.py train --recipe paper-xception" in printed
    assert "DermaScan, three classes, held-out folds, by lesion" in printed


def test_retrain_heads(run_benchmark, small_data, features):
    run_benchmark("papers", small_data / "ham10000", "--cache", features)
    printed = run_benchmark("retrain_heads", small_data / "ham10000", features, "--only", "seconds")

    assert "s to judge" in printed


def test_source_probe(run_benchmark, tmp_path, photograph):
    (tmp_path / "images").mkdir()
    rows = ["image_id,lesion_group,dx,source,fold"]
    for source in ("north", "south"):
        for dx in ("mel", "nv"):
            for number in range(5):
                name = f"{source}_{dx}_{number}"
                (tmp_path / "images" / f"{name}.jpg").write_bytes(photograph)
                rows.append(f"{name},{name},{dx},{source},7")
    (tmp_path / "metadata.csv").write_text("\n".join(rows))

    printed = run_benchmark("source_probe", tmp_path, "--least", 5, "--each", 5)

    assert re.search(r"mel +2 +0\.50 +0\.\d\d", printed)
    # All names have the same photograph, so there is nothing to distinguish.
    assert "mean within 0.500, across 0.500" in printed


@pytest.mark.parametrize("name", ALONE)
def test_scripts_in_a_separate_process(name, django_db_setup, migrated_database):
    command = [sys.executable, "-m", f"benchmarks.{name}", *ALONE[name].split()]
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("DJANGO_", "DERMASCAN_"))}
    for key in ("DATABASE_URL", "REDIS_URL"):
        environment.pop(key, None)
    if migrated_database.exists():
        environment["DERMASCAN_MIGRATED_DATABASE"] = str(migrated_database)

    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)

    assert ended.returncode == 0, ended.stderr
    assert TELLS[name] in ended.stdout


@pytest.mark.parametrize("name", [*WITH_DATA, *OF_HOURS])
def test_missing_data_are_reported(name, tmp_path, run_benchmark):
    """Missing data give a message, not a traceback."""
    folder = tmp_path / "nowhere"

    with pytest.raises(SystemExit, match=rf"^There is no .*{re.escape(str(folder))}"):
        run_benchmark("metadata_head", folder)
