"""Loading of releases fails with an error; there is no fallback."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from mlmodel.releases.release import load_release
from mlmodel.releases.release_files import MANIFEST, SHIPPED, ReleaseError
from tests.conftest import PHOTOGRAPHS
from tests.places import ROOT

pytestmark = pytest.mark.slow


@pytest.fixture
def copy(tmp_path):
    """The shipped files, free to be damaged. The backbone is linked, being large."""
    for path in SHIPPED.iterdir():
        if path.suffix == ".onnx":
            (tmp_path / path.name).symlink_to(path)
        else:
            shutil.copy(path, tmp_path)
    return tmp_path


def test_the_shipped_release_is_whole_and_small_enough():
    release = load_release()

    size = release.backbone.stat().st_size + len(release.head_file)
    assert size < 50_000_000
    assert release.version.startswith("xception-")


def test_the_card_states_what_the_release_was_accepted_for():
    """The bar of the first version, by photograph on the held-out test set, from the generated results."""
    found = load_release().settings["locked_test"]["photographs"]

    assert found["balanced_accuracy"]["value"] >= 0.64
    assert found["macro_auc"]["value"] >= 0.92
    assert found["balanced_accuracy"]["low"] < found["balanced_accuracy"]["value"] < found["balanced_accuracy"]["high"]
    assert f"{found['balanced_accuracy']['value']:.3f}" in load_release().card


@pytest.mark.parametrize("name", ["head.npz", "card.md"])
def test_an_altered_file_is_refused_by_name(copy, name):
    path = copy / name
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    path.write_bytes(damaged)

    with pytest.raises(ReleaseError, match=re.escape(f"{name} was altered")):
        load_release(copy)


def test_an_altered_backbone_is_refused(copy):
    path = copy / "backbone.onnx"
    path.unlink()
    path.write_bytes(b"another network")

    with pytest.raises(ReleaseError, match=r"backbone\.onnx was altered"):
        load_release(copy)


@pytest.mark.parametrize("name", ["backbone.onnx", "head.npz", "card.md", MANIFEST])
def test_a_missing_file_is_refused_with_what_to_do(copy, name):
    (copy / name).unlink()

    with pytest.raises(ReleaseError, match="Restore the files"):
        load_release(copy)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"files": {}, "settings": {}}'])
def test_a_broken_manifest_is_refused(copy, text):
    (copy / MANIFEST).write_text(text)

    with pytest.raises(ReleaseError):
        load_release(copy)


def test_other_thresholds_make_another_version(copy):
    manifest = json.loads((copy / MANIFEST).read_text())
    manifest["settings"]["operating_points"]["watch"]["threshold"] = 0.2
    (copy / MANIFEST).write_text(json.dumps(manifest))

    assert load_release(copy).version != load_release().version


def test_a_release_of_ones_own_answers_in_place_of_the_shipped_one(copy):
    manifest = json.loads((copy / MANIFEST).read_text())
    manifest["settings"]["temperature"] = 3.0
    (copy / MANIFEST).write_text(json.dumps(manifest))

    shipped, own = (_most_probable(environment) for environment in ({}, {"DERMASCAN_RELEASE_DIR": str(copy)}))

    assert own < shipped - 0.05, "three times the temperature makes any answer less sure"


def test_a_release_folder_that_holds_none_is_refused_with_what_to_do(tmp_path):
    with pytest.raises(subprocess.CalledProcessError) as failed:
        _most_probable({"DERMASCAN_RELEASE_DIR": str(tmp_path / "nowhere")})

    assert "The network cannot be loaded" in failed.value.stderr


def _most_probable(environment: dict[str, str]) -> float:
    command = [sys.executable, "manage.py", "predict", str(PHOTOGRAPHS / "ISIC_0024327.jpg")]
    ended = subprocess.run(
        command, check=True, capture_output=True, text=True, cwd=ROOT, env={**os.environ, **environment}
    )
    return max(float(value) for value in ended.stdout.splitlines()[-1].split(",")[1:])


def test_the_readme_states_the_figures_of_the_network_that_is_shipped():
    readme = (SHIPPED.parent.parent / "README.md").read_text()
    settings = load_release().settings
    # The report is what the page of the network shows; its intervals were drawn again, with another seed.
    subsets = json.loads((SHIPPED / "report.json").read_text())["sets"][0]["subsets"]

    for subset in ("lesions", "photographs", "sharp"):
        for metric in ("balanced_accuracy", "macro_auc", "accuracy", "melanoma_specificity", "calibration_error"):
            found = subsets[subset]["figures"][metric]
            assert f"{found['value']:.3f} ({found['low']:.3f}–{found['high']:.3f})" in readme, (subset, metric)
    for tier, point in settings["operating_points"].items():
        for name in ("sensitivity", "melanoma_sensitivity", "specificity"):
            assert f"{point[name]:.0%}" in readme, (tier, name)
