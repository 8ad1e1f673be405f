"""What the site serves as it is: hashed names, and files of others with their licences."""

import json

import pytest
from django.core.management import call_command

from tests.places import ROOT

VENDORED = sorted(path.name for path in (ROOT / "static" / "vendor").iterdir())


@pytest.mark.slow
def test_every_static_file_gets_a_hashed_name(settings, tmp_path):
    """A script that refers to a source map which is not there would stop it."""
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"}
    }
    call_command("collectstatic", interactive=False, verbosity=0)

    names = json.loads((tmp_path / "staticfiles.json").read_text(encoding="utf-8"))["paths"]
    for name in ("vendor/chart.umd.min.js", "js/charts.js"):
        hashed = names[name]
        assert hashed != name
        assert (tmp_path / hashed).is_file()


@pytest.mark.parametrize("name", VENDORED)
def test_what_others_wrote_is_named_in_the_notice(name):
    assert name in (ROOT / "NOTICE").read_text(encoding="utf-8")


def test_the_notice_states_the_version_that_is_served():
    banner = (ROOT / "static" / "vendor" / "chart.umd.min.js").read_text(encoding="utf-8")[:200]
    version = banner.split("Chart.js v", 1)[1].split()[0]
    assert f"Chart.js {version}," in (ROOT / "NOTICE").read_text(encoding="utf-8")
