"""Every page that the URL configuration knows, on a phone and with names that nobody has: nothing runs out of it.

What each role may open is said in ``tests/permissions``; this goes to all of it in one browser.
"""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from diagnosis.images.models import Image
from diagnosis.reviews.services import record_review
from patients.models import Clinic, Lesion, Member, OutgoingMessage, Patient, User, Visit
from tests.permissions.addresses import ADDRESSES, Address
from tests.permissions.world import World

PHONE = (390, 844)
# Letters without a break, as many as the names of the record books.
NAME = "Wolfeschlegelsteinhausenbergerdorffwelchevoralternwarengewissenhaftschaferswess"[:78]
EMAIL = f"{NAME[:60].lower()}@{NAME[:50].lower()}.example"
# Not pages: files, data, and what only a script asks for.
NO_PAGES = re.compile(
    r"image-(file|explanation|similar)|pathology-file|.*-(pdf|json|csv)|version-history|session|metrics|admin:jsi18n"
)
# Whoever sees most of it comes first; the others open what they alone see, and the pages that differ with the role.
ROLES = ("dermatologist", "superuser", "manager", "staff", "patient", "anonymous")
DIFFER_WITH_THE_ROLE = {"home", "patient", "visit", "image", "admin:index"}

LOOK = r"""
() => {
  const width = document.documentElement.clientWidth, problems = [];
  const name = (element) => [element.tagName.toLowerCase(), ...element.classList].join(".")
    + " “" + element.textContent.trim().replace(/\s+/g, " ").slice(0, 40) + "”";
  if (document.documentElement.scrollWidth > width)
    problems.push(`scrolls sideways by ${document.documentElement.scrollWidth - width} px`);
  const mayScroll = new Map();
  const scrolls = (element) => {
    if (!element || element === document.body) return false;
    if (!mayScroll.has(element)) {
      const way = getComputedStyle(element).overflowX;
      const isTable = ["auto", "scroll"].includes(way) && !element.querySelector(":scope > .table-cards");
      mayScroll.set(element, isTable || scrolls(element.parentElement));
    }
    return mayScroll.get(element);
  };
  // What tells the rows of a table apart, and the way to them, is for nobody to look for by scrolling.
  const isHidden = (element, box) => {
    if (!element.matches("tr :is(a, button, input, select, textarea, .badge, .admin-tier)")) return false;
    const right = Math.max(box.right, box.left + element.scrollWidth);
    for (let around = element.parentElement; around !== document.body; around = around.parentElement) {
      if (!["auto", "scroll"].includes(getComputedStyle(around).overflowX)) continue;
      const window = around.getBoundingClientRect();
      if (right > window.right + 1 || box.left < window.left - 1) return true;
    }
    return false;
  };
  for (const element of document.body.querySelectorAll("*")) {
    if (element.closest("svg, .visually-hidden, .honey, .skip-link, .selector button, script, style")) continue;
    if (!element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
    const box = element.getBoundingClientRect();
    if (box.width <= 1 || box.height <= 1) continue;
    if ((box.right > width + 1 || box.left < -1) && !scrolls(element.parentElement)) {
      problems.push(`${name(element)} reaches from ${Math.round(box.left)} to ${Math.round(box.right)}`);
      continue;
    }
    if (isHidden(element, box)) problems.push(`${name(element)} is hidden until its table is scrolled`);
    const style = getComputedStyle(element);
    const isCut = style.display !== "inline" && element.scrollWidth > element.clientWidth + 1
      && ["hidden", "clip"].includes(style.overflowX) && !element.matches("input, select, textarea, progress, img");
    if (isCut) problems.push(`${name(element)} is cut: ${element.scrollWidth} in ${element.clientWidth}`);
  }
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), range = document.createRange();
  while (texts.nextNode()) {
    const text = texts.currentNode;
    const parent = text.parentElement;
    if (text.data.includes("@") || parent.closest(".honey, .visually-hidden")) continue;
    if (!parent.checkVisibility({ visibilityProperty: true })) continue;
    for (const word of text.data.matchAll(/[\p{L}\p{N}.,]{2,20}(?![\p{L}\p{N}.,])/gu)) {
      if (/[\p{L}\p{N}.,]/u.test(text.data[word.index - 1] ?? "")) continue;
      range.setStart(text, word.index);
      range.setEnd(text, word.index + word[0].length);
      if (new Set([...range.getClientRects()].map((box) => Math.round(box.top))).size > 1)
        problems.push(`“${word[0]}” is broken in ${name(parent)}`);
    }
  }
  return problems.slice(0, 5);
}
"""
# What no page says to anybody.
NONSENSE = re.compile(
    r"(?m:^None$)|[:(] ?None\b|\bNone,|since since|for for|\bDr\. Dr\.|[^.]\.\.(?!\.)|\b[01] photographs"
    r"|\bundefined\b|\bNaN\b|\d\d\+00:00"
)


@pytest.fixture
def world(transactional_db) -> World:
    """All that there is, under names that no design has thought of."""
    world = World()
    Clinic.objects.update(address=f"{NAME}\n{NAME}", phone="0" * 30)
    for clinic in Clinic.objects.all():
        Clinic.objects.filter(pk=clinic.pk).update(name=f"{NAME}{clinic.name[-1:]}")
    Patient.objects.update(family_name=NAME, given_name=NAME, email=EMAIL, phone="0" * 30, history=NAME * 2)
    User.objects.update(first_name=NAME, last_name=NAME, email=EMAIL)
    Visit.objects.update(complaint=NAME * 3, symptoms_since=NAME, history=NAME * 2, notes=NAME * 2, plan=NAME * 2)
    Visit.objects.update(itch=True, pain=True, bleeding=True, growth=True)
    Lesion.objects.update(description=NAME * 2, noticed_on="2024-06-01", noticed_precision="month")
    Image.objects.update(original_name=f"{NAME}.jpg")
    OutgoingMessage.objects.update(last_error=NAME * 2)
    record_review(
        image=world.objects["open_image"],
        reviewer=Member.objects.get(user=world.users["dermatologist"]),
        answer="other_malignant",
        other_text=NAME,
        certainty="certain",
        reason=NAME * 2,
    )
    for number, patient in enumerate(Patient.objects.all()):
        Patient.objects.filter(pk=patient.pk).update(record_number=f"{'9' * 38}{number:02}")
    return world


def pages_of(role: str, world: World, seen: set[str]) -> Iterator[tuple[Address, str]]:
    for address in ADDRESSES:
        if NO_PAGES.fullmatch(address.name) or address.route.startswith(("api/v1", "api/schema", "^api")):
            continue
        for case in address.cases():
            path = address.path(case, world)
            differs = address.name in DIFFER_WITH_THE_ROLE
            # The admin's histories differ in their rows alone.
            kind = "history" if path.endswith("/history/") else path
            if case.get[role] == 200 and (differs or kind not in seen):
                seen.add(kind)
                yield address, path


def test_nothing_runs_out_of_a_phone(open_browser, live_server, world):
    page: Page = open_browser(PHONE)
    wrong: dict[str, list[str]] = {}
    seen: set[str] = set()
    for role in ROLES:
        page.context.clear_cookies()
        if role in world.sessions:
            cookie = {"name": "sessionid", "value": world.sessions[role], "url": live_server.url}
            page.context.add_cookies([cookie])  # type: ignore[list-item]
        for _address, path in pages_of(role, world, seen):
            response = page.goto(path)
            assert response is not None
            found = page.evaluate(LOOK)
            said = NONSENSE.search(page.inner_text("body"))
            found += [f"says “{said.group()}”"] if said else []
            found += [f"answers {response.status}"] if response.status != 200 else []
            if found:
                wrong[f"{role} {path}"] = found
    assert wrong == {}
    assert len(seen) > 100
