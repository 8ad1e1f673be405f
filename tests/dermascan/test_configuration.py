"""Invalid settings are reported at start, with the valid values."""

import os
import re
import subprocess
import sys

import pytest

from tests.places import ROOT


def start(command: list[str], **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO_", "DERMASCAN_"))}
    command = [sys.executable, *command]
    environment |= variables
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("DERMASCAN_WATCH_MOST_REFUSED", "30", "must be a share from 0 to 1, such as 0.3 for 30 %"),
        ("DERMASCAN_REVIEW_RANDOM_SHARE", "-0.1", "must be a share from 0 to 1"),
        ("DERMASCAN_WATCH_LEAST_AGREEMENT", "half", "DERMASCAN_WATCH_LEAST_AGREEMENT is 'half'"),
        ("DERMASCAN_WATCH_CALIBRATION_MARGIN", "nan", "must be a share from 0 to 1"),
        ("DERMASCAN_WATCH_OLDEST_URGENT_DAYS", "1.5", "must be a whole number, 0 or more; 7 if it is not set"),
        ("DERMASCAN_WATCH_SLOWEST_SECONDS", "0", "must be a number of seconds above 0; 3.0 if it is not set"),
        ("DERMASCAN_RETRAINING_AFTER_LABELS", "inf", "must be a whole number, 0 or more"),
        ("DERMASCAN_RETRAINING_GATE", "{", "DERMASCAN_RETRAINING_GATE is not valid JSON"),
        ("DERMASCAN_RETRAINING_GATE", "[]", "must be a JSON object"),
        ("DERMASCAN_RETRAINING_GATE", '{"clinic_lesion": 80}', "Unknown: clinic_lesion. Choose from base"),
        ("DERMASCAN_RETRAINING_GATE", '{"clinic_lesions": "many"}', "clinic_lesions is 'many', and must be a number"),
        ("DERMASCAN_RETRAINING_GATE", '{"recall_floors": 0.5}', "recall_floors must be an object"),
        ("DERMASCAN_RETRAINING_GATE", '{"recall_floors": {"wart": 0.5}}', "Unknown class wart"),
    ],
)
def test_a_number_out_of_range_stops_the_start(name, value, told):
    outcome = start(["manage.py", "check"], **{name: value})
    assert outcome.returncode == 1
    assert outcome.stderr.startswith("Configuration: ")
    assert told in outcome.stderr
    assert "Traceback" not in outcome.stderr


@pytest.mark.slow
def test_make_run_reports_it_too(tmp_path):
    outcome = start(["deploy/run.py"], DERMASCAN_DATA_DIR=str(tmp_path), DERMASCAN_WATCH_MOST_REFUSED="30")
    assert outcome.returncode == 1
    assert outcome.stderr.startswith("DermaScan did not start: DERMASCAN_WATCH_MOST_REFUSED is '30'")
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_numbers_in_range_are_accepted():
    command = (
        "from django.conf import settings as s; print(s.WATCH_MOST_REFUSED, s.GEMINI_ATTEMPTS, s.RETRAINING_GATE)"
    )
    outcome = start(
        ["manage.py", "shell", "--no-imports", "-c", command],
        DERMASCAN_WATCH_MOST_REFUSED="0.4",
        GEMINI_ATTEMPTS="2",
        DERMASCAN_RETRAINING_GATE='{"clinic_lesions": 80, "recall_floors": {"mel": 0.6}}',
    )
    assert outcome.stdout == "0.4 2 {'clinic_lesions': 80, 'recall_floors': {'mel': 0.6}}\n", outcome.stderr


@pytest.mark.slow
def test_a_broken_release_is_reported_with_its_folder(tmp_path):
    command = "from mlmodel.releases.release import load_release; load_release()"
    outcome = start(["-c", command], DERMASCAN_RELEASE_DIR=str(tmp_path))
    assert outcome.returncode == 1
    assert f"Restore the files of {tmp_path}, or unset DERMASCAN_RELEASE_DIR" in outcome.stderr


def test_every_variable_that_is_read_is_documented():
    code_of_settings = sorted((ROOT / "dermascan" / "settings").glob("*.py"))
    code = "".join(path.read_text() for path in code_of_settings)
    read = set(re.findall(r'env(?:\.\w+\(|,\s*)"([A-Z_]+)"', code))
    assert len(read) > 30
    documented = (ROOT / "docs" / "use" / "operator.md").read_text()
    assert {name for name in read if f"`{name}`" not in documented} == set()
