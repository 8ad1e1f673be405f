import pytest
from django.contrib.staticfiles import finders
from django.test import Client

from dermascan.samples import samples
from diagnosis.retraining.model_cards import render_card
from mlmodel.releases.release import load_release
from tests.dermascan.pages import assert_in_our_frame
from tests.hooks import wording

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/", "/about/", "/contact/", "/contact/thank-you/", "/quick-check/"])
def test_anyone_may_read_the_public_pages(client, path):
    response = client.get(path)
    assert response.status_code == 200
    page = assert_in_our_frame(response)
    assert wording("not a diagnosis") in page


def test_the_home_page_offers_each_sample_and_signing_in(client):
    page = client.get("/").content.decode()
    assert len(samples()) == 12
    for sample in samples().values():
        assert f'value="{sample.name}"' in page
        assert finders.find(sample.static_path)
    assert 'href="/accounts/login/"' in page


def test_card_and_about_page_do_not_overstate_photographs_without_a_dermatoscope(client):
    """Only whether and when to be seen is stated for it: see diagnosis/assessment/test_smartphones.py."""
    about = " ".join(client.get("/about/").content.decode().split())
    card = " ".join(load_release().card.split())
    assert wording("without a dermatoscope it states no condition and no probability") in about
    assert wording("neither a condition nor a probability is stated") in card
    for words in ("less confidence", "harder for it", "expect worse"):
        assert words not in about + card


def test_the_about_page_states_the_networks_figures_its_data_and_its_limits(client):
    page = client.get("/about/").content.decode()
    assert "sdata.2018.161" in page
    assert "CC BY-NC 4.0" in page
    assert "dark skin" in page
    assert "of 100 melanomas" in page


def test_the_model_card_is_rendered_without_its_html():
    rendered = render_card("# Card\n\n| a | b |\n|---|---:|\n| 1 | <script>x</script> |\n\n[y](javascript:z)")
    assert "<h3>Card</h3>" in rendered
    assert "<table>" in rendered
    assert '<th class="number">b</th>' in rendered
    assert "style" not in rendered
    assert "<script" not in rendered
    assert "href" not in rendered


@pytest.mark.parametrize(
    ("who", "lands"),
    [("staff", "/today/"), ("dermatologist", "/today/"), ("manager", "/today/"), ("patient_user", "/my/")],
)
def test_signing_in_leads_to_the_first_page_of_the_role(request, sign_in, who, lands):
    response = sign_in(request.getfixturevalue(who)).get("/start/")
    assert response.status_code == 302
    assert response["Location"] == lands


def test_visitors_and_users_without_a_role_get_the_home_page(client, staff, sign_in):
    assert client.get("/start/")["Location"] == "/"
    user = staff.user
    client_of_user = sign_in(user)
    staff.delete()
    assert client_of_user.get("/start/")["Location"] == "/"


@pytest.mark.parametrize(
    ("who", "shown", "hidden"),
    [
        (None, ["/accounts/login/"], ["/patients/", "/my/", "/admin/", "/accounts/logout/"]),
        ("staff", ["/patients/", "/visits/", "/accounts/logout/", "/accounts/2fa/"], ["/my/", "/admin/"]),
        ("dermatologist", ["/patients/", "/visits/", "/admin/", "/accounts/logout/"], ["/my/"]),
        ("patient_user", ["/my/", "/accounts/logout/"], ["/patients/", "/visits/", "/admin/"]),
    ],
)
def test_the_menu_shows_the_permitted_pages(request, sign_in, who, shown, hidden):
    client = sign_in(request.getfixturevalue(who)) if who else Client()
    page = client.get("/contact/").content.decode()
    for path in shown:
        assert f'="{path}"' in page
    for path in hidden:
        assert f'="{path}"' not in page


def test_the_menu_marks_the_current_page(client):
    page = client.get("/contact/").content.decode()
    assert '<a href="/contact/" aria-current="page">' in page
    assert page.count("aria-current") == 1


def test_the_policy_allows_no_inline_code(client):
    policy = client.get("/")["Content-Security-Policy"]
    assert "script-src 'self';" in policy + ";"
    assert "unsafe" not in policy


def test_the_default_icon_url_redirects(client):
    response = client.get("/favicon.ico")
    assert response["Location"].startswith("/static/favicon")
    assert finders.find(response["Location"].removeprefix("/static/"))
    assert "max-age" in response["Cache-Control"]


def test_public_pages_refuse_other_methods(client):
    assert client.post("/").status_code == 405
    assert client.put("/quick-check/").status_code == 405
    assert client.delete("/contact/").status_code == 405
