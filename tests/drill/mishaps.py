"""The mistakes of the year, and how they are mended."""

import datetime

from tests.drill import mending
from tests.drill.desk import DERMATOLOGIST, MANAGER, STAFF, Desk
from tests.drill.ledger import DAYS
from tests.drill.stories import Story, two_quiet_visits

NEXT_YEAR = 400


def wrong_lesion(desk: Desk, given: str, start: datetime.date) -> Story:
    """A photograph of the left shoulder is filed under the right one, and signed before anybody notices."""
    yield start
    patient = desk.register(given)
    right, left = desk.add_lesion(patient, "shoulder"), desk.add_lesion(patient, "shoulder")
    visit = desk.log_visit(patient)
    desk.photograph(visit, right, 4, answer="nv")
    image = desk.photograph(visit, right, 5, answer="nv")
    report = desk.sign(visit, "see_again", NEXT_YEAR)
    yield start + DAYS(days=9)
    reason = "The photograph shows the other shoulder, as the note on the slide says."
    mending.move_photograph(desk, image, left, by=MANAGER, reason=reason)
    desk.plan(left, "see_again", NEXT_YEAR)
    desk.add_addendum(report, "One of the photographs shows the spot on the other shoulder.")
    yield from two_quiet_visits(desk, patient)


def wrong_visit(desk: Desk, given: str, start: datetime.date) -> Story:
    """A photograph is added to the visit before, which nobody has signed yet."""
    yield start
    patient = desk.register(given)
    lesion = desk.add_lesion(patient, "lower_leg")
    before = desk.log_visit(patient)
    desk.photograph(before, lesion, 6, answer="nv")
    desk.plan(lesion, "see_again", NEXT_YEAR)
    yield start + DAYS(days=75)
    visit = desk.log_visit(patient)
    image = desk.photograph(before, lesion, 7)
    reason = "It was taken today and added to the visit of the winter by mistake."
    mending.move_photograph(desk, image, lesion, visit=visit, by=STAFF, reason=reason)
    desk.review(image, "nv")
    for each in (before, visit):
        desk.close_visit(each)
    yield desk.today + DAYS(days=70)
    desk.close_visit(desk.log_visit(patient, "A prescription"))


def wrong_patient(desk: Desk, given: str, start: datetime.date, *, undone: bool = False) -> Story:
    """A photograph of the patient before is added to this one, and is moved there; or that was right after all."""
    yield start
    patient, other = desk.register(given), desk.ledger.patients[0]
    lesion = desk.add_lesion(patient, "abdomen")
    visit = desk.log_visit(patient)
    desk.photograph(visit, lesion, 8, answer="nv")
    image = desk.photograph(visit, lesion, 9, answer="nv")
    desk.plan(lesion, "see_again", NEXT_YEAR)
    yield start + DAYS(days=2)
    of_other, there = desk.add_lesion(other, "abdomen"), desk.log_visit(other, "Photographs of yesterday")
    was = image.lesion, image.visit
    reason = "The camera still had the photograph of the patient before in it."
    row = mending.move_photograph(desk, image, of_other, visit=there, by=STAFF, reason=reason)
    desk.plan(of_other, "discharge")
    if undone:
        mending.undo(desk, row, by=STAFF, reason="The birthmark beside it is this patient’s after all.")
        image.lesion, image.visit = was
    desk.close_visit(there)
    desk.close_visit(visit)
    yield from two_quiet_visits(desk, patient)


def registered_twice(desk: Desk, given: str, start: datetime.date) -> Story:
    """A duplicate with a visit, a plan, a specimen and an open question is merged: all of it still waits."""
    yield start
    patient = desk.register(given)
    lesion = desk.add_lesion(patient, "forearm")
    visit = desk.log_visit(patient)
    desk.stored_photograph(visit, lesion, answer="nv")
    desk.plan(lesion, "see_again", NEXT_YEAR)
    desk.close_visit(visit)
    yield start + DAYS(days=80)
    duplicate = desk.register(f"{given}n")
    spots = [desk.add_lesion(duplicate, site) for site in ("scalp", "upper_arm")]
    visit = desk.log_visit(duplicate, "Two new spots")
    for spot in spots:
        desk.stored_photograph(visit, spot, answer="nv")
    desk.plan(spots[0], "see_again", 90)
    desk.send_specimen(spots[1], visit=visit)
    desk.close_visit(visit)
    yield desk.today + DAYS(days=20)
    reason = "Registered again with a slip of the pen: the insurance number is the same."
    mending.merge(desk, duplicate, patient, by=DERMATOLOGIST, reason=reason)
    yield desk.today + DAYS(days=40)
    desk.close_visit(desk.log_visit(patient, "A prescription"))


def logged_by_mistake(desk: Desk, given: str, start: datetime.date) -> Story:
    """A visit with a photograph that the network calls urgent is void: nobody is asked to review it or to sign."""
    yield start
    patient = desk.register(given)
    lesion = desk.add_lesion(patient, "toe")
    visit = desk.log_visit(patient)
    desk.stored_photograph(visit, lesion, answer="nv")
    desk.plan(lesion, "see_again", NEXT_YEAR)
    desk.close_visit(visit)
    yield start + DAYS(days=30)
    mistaken = desk.log_visit(patient, "Another patient’s visit")
    desk.photograph(mistaken, lesion, 2)
    yield desk.today + DAYS(days=1)
    mending.void(desk, mistaken, by=STAFF, reason="The visit belongs to nobody: the practice computer was left open.")
    yield from two_quiet_visits(desk, patient)


def born_on_another_day(desk: Desk, given: str, start: datetime.date) -> Story:
    """A birth date is corrected after the report was signed: the report stays, an addendum says so."""
    yield start
    patient = desk.register(given, born="1970-01-02")
    lesion = desk.add_lesion(patient, "finger")
    visit = desk.log_visit(patient)
    desk.stored_photograph(visit, lesion, answer="nv")
    report = desk.sign(visit, "see_again", NEXT_YEAR)
    yield start + DAYS(days=12)
    desk.edit_patient(patient, by=STAFF, before="2 Jan 1970", after="1 Feb 1970", birth_date="1970-02-01")
    desk.add_addendum(report, "Your birth date was recorded wrongly and is corrected.")
    yield from two_quiet_visits(desk, patient)


def visit_of_another(desk: Desk, given: str, start: datetime.date) -> Story:
    """A whole visit is logged for the wrong patient and moved; its draft still waits for a signature there."""
    yield start
    patient, other = desk.register(given), desk.ledger.patients[1]
    desk.close_visit(desk.log_visit(patient, "A prescription"))
    yield start + DAYS(days=40)
    desk.close_visit(desk.log_visit(patient, "A prescription"))
    yield desk.today + DAYS(days=40)
    desk.close_visit(desk.log_visit(patient, "A prescription"))
    wrong = desk.log_visit(patient, "A rash of the neighbour")
    reason = "It was the neighbour who came: the receptionist opened the wrong record."
    mending.move_visit(desk, wrong, other, by=MANAGER, reason=reason)


def asked_about_the_wrong_spot(desk: Desk, given: str, start: datetime.date) -> Story:
    """A photograph is moved while a colleague is asked about it: who asked must learn that nobody will answer."""
    yield start
    patient = desk.register(given)
    first, second = desk.add_lesion(patient, "face"), desk.add_lesion(patient, "lip")
    visit = desk.log_visit(patient)
    desk.stored_photograph(visit, first, answer="nv")
    image = desk.stored_photograph(visit, first, answer="nv")
    for lesion in (first, second):
        desk.plan(lesion, "see_again", NEXT_YEAR)
    opinion = desk.ask(image, days=14)
    yield start + DAYS(days=2)
    mending.move_photograph(desk, image, second, by=STAFF, reason="It shows the chin, not the temple: see the beard.")
    opinion.revoked_on = desk.today
    desk.close_visit(visit)
    yield from two_quiet_visits(desk, patient)
