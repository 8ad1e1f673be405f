"""The pieces that many templates share."""

import pytest
from django.template import Context, Template
from django.test import RequestFactory

from tests.dermascan.pages import assert_in_our_frame

FACT = '{% load components %}{% fact "Name" value before=before css=css %}'


def rendered(source: str, **context: object) -> str:
    return Template(source).render(Context(context))


class TestFact:
    def test_a_row(self):
        assert rendered(FACT, value="Ann") == "<div><dt>Name</dt> <dd>Ann</dd></div>"

    def test_a_corrected_value_is_struck_out_before_the_new_one(self):
        assert "<dd><s>Anna</s> Ann</dd>" in rendered(FACT, value="Ann", before="Anna")

    @pytest.mark.parametrize("value", ["", None])
    def test_no_row_without_a_value(self, value):
        assert rendered(FACT, value=value, before="Anna") == ""

    def test_nought_is_a_value(self):
        assert "<dd>0</dd>" in rendered(FACT, value=0)

    def test_what_was_typed_is_escaped(self):
        shown = rendered(FACT, value="<b>", before="<i>", css='"><script>')
        assert "<b>" not in shown
        assert "<i>" not in shown
        assert "<script>" not in shown

    def test_lines_stay_lines(self):
        source = '{% load components %}{% fact "History" value|linebreaksbr %}'
        assert "<dd>&lt;one&gt;<br>two</dd>" in rendered(source, value="<one>\ntwo")


def test_a_tier_has_a_mark_besides_its_colour():
    shown = rendered('{% load components %}{% tier "urgent" "!" %}<h2>{{ words }}</h2>{% endtier %}', words="<See>")
    assert 'class="tier tier-urgent"' in shown
    assert 'aria-hidden="true">!<' in shown
    assert "<h2>&lt;See&gt;</h2>" in shown


@pytest.mark.django_db
def test_a_page_with_errors_says_so_in_its_title_alone(client):
    page = assert_in_our_frame(client.post("/accounts/login/", {}))
    assert page.split("<title>")[1].split()[0] == "Error:"
    assert "Error:" not in page.split("<h1")[1].split("</h1>")[0]
    assert page.count("data-busy-text") == 0


@pytest.mark.parametrize(("context", "links"), [({"cancel_url": "/back/"}, 1), ({}, 0)])
def test_the_buttons_under_a_form(context, links):
    shown = rendered('{% include "includes/form_actions.html" with submit="Save" %}', **context)
    assert shown.count("<button") == 1
    assert shown.count('href="/back/"') == links
    assert "button-primary" in shown


def test_a_form_of_one_button_is_protected_twice():
    request = RequestFactory().get("/")
    page = Template('{% include "includes/post_button.html" with action="/do/" text="Do" %}')
    shown = page.render(Context({"csrf_token": "token", "request": request}))
    assert 'action="/do/"' in shown
    assert "csrfmiddlewaretoken" in shown
    assert shown.count('type="hidden"') == 2
