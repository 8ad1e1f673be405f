"""Every benchmark runs, with sizes that say nothing: what it calls has not changed under it."""

import re

import pytest

from benchmarks.__main__ import SCRIPTS
from tests.benchmarks.alone import run_alone

# The whole run of a script takes seconds, however small.
pytestmark = pytest.mark.slow

# Those with servers, or two networks to compare: a word of what they print.
ALONE = {
    "engine": "memory of the engine",
    "uploads": "uploads to rendered result",
    "serving": "× the bare engine",
}


@pytest.mark.django_db
def test_pages(run_benchmark):
    printed = run_benchmark("pages", *SCRIPTS["pages"].split())

    assert re.search(r"result +\d+ ms", printed)


@pytest.mark.django_db
def test_review_queue(run_benchmark):
    printed = run_benchmark("review_queue", *SCRIPTS["review_queue"].split())

    assert re.search(r"metrics +\d+ ms", printed)


@pytest.mark.django_db
def test_audit(run_benchmark):
    printed = run_benchmark("audit", *SCRIPTS["audit"].split())

    assert re.search(r"patient +\d+\.\d ms +\d+\.\d ms", printed)
    assert re.search(r"verified \d+ entries", printed)


def test_metadata_head(run_benchmark, small_data, features):
    printed = run_benchmark("metadata_head", small_data / "ham10000", "--features", features, "--seeds", 1)

    rows = dict(re.findall(r"^(image alone|with metadata, [a-z ]+?)  +(\d\.\d+)", printed, re.MULTILINE))
    assert set(rows) == {"image alone", "with metadata, as recorded", "with metadata, none stated"}


def test_alignment(run_benchmark):
    printed = run_benchmark("alignment", *SCRIPTS["alignment"].split())

    assert re.search(r"altered +\d+ +0 %", printed)
    assert re.search(r"two lesions +\d+ +100 %", printed)
    assert "Area against the skin" in printed


def test_training_step(run_benchmark):
    printed = run_benchmark("training_step", "--side", 71, "--batch", 2, "--steps", 1)

    assert re.search(r"quick layers +\d+ ms", printed)


@pytest.mark.parametrize("name", ALONE)
def test_what_needs_a_process_of_its_own(name, django_db_setup, migrated_database):
    assert ALONE[name] in run_alone("benchmarks", name, SCRIPTS[name], migrated_database)


def test_absent_data_is_named(tmp_path, run_benchmark):
    """Whoever has no HAM10000 reads a sentence, not a traceback."""
    folder = tmp_path / "nowhere"

    with pytest.raises(
        SystemExit, match=rf"(^There is no .*{re.escape(str(folder))}|^{re.escape(str(folder))}.* does not exist)"
    ):
        run_benchmark("metadata_head", folder)
