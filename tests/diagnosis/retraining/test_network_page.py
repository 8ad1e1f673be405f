"""The network's page and its report, for members of a clinic and nobody else."""

import base64
import hashlib
import json
import re
from dataclasses import replace

import pytest

from mlmodel.network.analyser import get_analyser
from mlmodel.network.threshold_levels import LEVELS_KEY
from mlmodel.releases.release import load_release
from mlmodel.releases.sources import source_of
from tests.dermascan.pages import assert_in_our_frame
from tests.hooks import wording

pytestmark = pytest.mark.django_db
PATHS = ("/network/", "/network/report/", "/network/report.json")
PAGE = "<!DOCTYPE html><html><head><style>p { color: red; }</style></head><body><p>All figures</p></body></html>"


@pytest.fixture
def report(tmp_path, monkeypatch):
    """A release whose folder holds a report; gives the folder."""
    analyser = get_analyser()
    monkeypatch.setattr(analyser, "release", replace(analyser.release, head=tmp_path / "head.npz"))
    estimate = {"value": 0.75, "low": 0.7, "high": 0.8}
    figures = {"balanced_accuracy": estimate, "accuracy": estimate, "melanoma_specificity": None}
    found = {"name": "A <set>", "photographs": 12, "lesions": 11, "subsets": {"lesions": {"figures": figures}}}
    facts = {"network": {"sha256": analyser.sha256}, "made_at": "2026-01-02T03:04:05+00:00", "sets": [found]}
    (tmp_path / "report.json").write_text(json.dumps(facts))
    (tmp_path / "report.html").write_text(PAGE)
    return tmp_path


@pytest.fixture
def no_report(report):
    for name in ("report.json", "report.html"):
        (report / name).unlink()
    return report


@pytest.mark.parametrize("role", ["staff", "dermatologist", "manager", "stranger"])
def test_every_member_of_a_clinic_may_read_it(request, sign_in, report, role):
    client = sign_in(request.getfixturevalue(role))

    page = assert_in_our_frame(client.get("/network/"))
    assert get_analyser().version in page
    assert get_analyser().sha256 in page
    assert "0.750" in page
    assert "0.700–0.800" in page
    assert "A &lt;set&gt;" in page
    assert "By class" in page, "the model card"
    assert wording("not a diagnosis") in page
    assert 'href="/network/report/"' in page
    assert b"All figures" in client.get("/network/report/").content
    assert client.get("/network/report.json").json()["sets"][0]["lesions"] == 11


@pytest.mark.parametrize("path", PATHS)
def test_patients_are_refused_and_visitors_sign_in(client, sign_in, patient_user, report, path):
    assert sign_in(patient_user).get(path).status_code == 403
    response = client.get(path)
    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/")


def test_the_report_may_style_itself_and_do_nothing_else(sign_in, staff, report):
    policy = sign_in(staff).get("/network/report/")["Content-Security-Policy"]

    assert re.search(r"style-src 'sha256-[A-Za-z0-9+/=]{44}'", policy)
    assert "default-src 'none'" in policy
    assert "img-src data:" in policy
    assert "sandbox" in policy
    assert "unsafe" not in policy
    assert "script-src" not in policy


def test_without_a_report_the_page_says_how_to_make_one(sign_in, staff, no_report):
    client = sign_in(staff)

    page = assert_in_our_frame(client.get("/network/"))
    assert "manage.py evaluate" in page
    assert "/network/report" not in page
    assert client.get("/network/report/").status_code == 404
    assert client.get("/network/report.json").status_code == 404


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"network": 3}', '{"network": {"sha256": "another"}, "sets": [{}]}']
)
def test_a_report_that_is_broken_or_of_another_network_is_not_shown(sign_in, staff, report, content):
    (report / "report.json").write_text(content)
    client = sign_in(staff)

    assert "manage.py evaluate" in client.get("/network/").content.decode()
    assert client.get("/network/report/").status_code == 404


def test_a_real_report_is_allowed_its_own_style(sign_in, staff, report):
    from mlmodel.reporting.page import STYLE

    (report / "report.html").write_text(f"<html><head><style>{STYLE}</style></head></html>")

    allowed = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    assert f"'sha256-{allowed}'" in sign_in(staff).get("/network/report/")["Content-Security-Policy"]


def test_the_menu_leads_there_for_members_only(client, sign_in, staff, patient_user):
    assert 'href="/network/"' in sign_in(staff).get("/patients/").content.decode()
    assert 'href="/network/"' not in sign_in(patient_user).get("/my/").content.decode()
    assert 'href="/network/"' not in client.get("/").content.decode()


def test_the_figures_of_every_source_are_on_the_page(sign_in, staff):
    page = " ".join(sign_in(staff).get("/network/").text.split())

    by_source = load_release().settings["by_source"]
    assert len(by_source) > 1
    for name, results in by_source.items():
        assert f'<th scope="row">{source_of(name).title}</th>' in page
        if area := results["figures"]["melanoma_auc"]:
            assert f"{area['value']:.3f} ({area['low']:.3f}–{area['high']:.3f})" in page


def test_a_retrained_network_which_was_tested_on_no_sources_has_no_such_table(sign_in, staff, monkeypatch):
    release = get_analyser().release
    assert "Clinics differ" in sign_in(staff).get("/network/").text
    levels = {
        tier: {name: {**level, "by_source": {}} for name, level in each.items()}
        for tier, each in release.settings[LEVELS_KEY].items()
    }
    for stated in (levels, {}):
        settings = {**release.settings, LEVELS_KEY: stated}
        monkeypatch.setattr(get_analyser(), "release", replace(release, settings=settings))
        assert "Clinics differ" not in sign_in(staff).get("/network/").text
