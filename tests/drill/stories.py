"""The year of each patient, told as a generator: it yields the day on which it goes on."""

import datetime
from collections.abc import Iterator

from tests.drill.desk import STAFF, Desk
from tests.drill.ledger import DAYS, Patient

Story = Iterator[datetime.date]


def followed(desk: Desk, given: str, start: datetime.date, *, last: str = "see_again", days: int = 200) -> Story:
    """Comes three times as planned, and is seen again next year or discharged."""
    yield start
    patient = desk.register(given, email=desk.address_of(given))
    lesion = desk.add_lesion(patient)
    for number in range(3):
        visit = desk.log_visit(patient)
        desk.stored_photograph(visit, lesion, answer="nv")
        if number < 2:
            desk.plan(lesion, "see_again", 110)
            desk.close_visit(visit)
            yield desk.today + DAYS(days=105)
            continue
        desk.plan(lesion, last, days)
        desk.close_visit(visit)


def misses_recalls(desk: Desk, given: str, start: datetime.date) -> Story:
    """Does not come when asked, is called again, comes, and misses the last recall of the year."""
    yield start
    patient = desk.register(given, email=desk.address_of(given))
    lesion = desk.add_lesion(patient, "back")
    visit = desk.log_visit(patient)
    desk.photograph(visit, lesion, 3, answer="nv")
    desk.plan(lesion, "see_again", 60)
    desk.close_visit(visit)
    yield start + DAYS(days=80)
    desk.plan(lesion, "see_again", 30, by=STAFF)
    yield start + DAYS(days=105)
    visit = desk.log_visit(patient, "Called again")
    desk.stored_photograph(visit, lesion, answer="nv")
    desk.plan(lesion, "see_again", 90)
    desk.close_visit(visit)
    yield start + DAYS(days=200)
    visit = desk.log_visit(patient, "Called again")
    desk.stored_photograph(visit, lesion, answer="nv")
    desk.plan(lesion, "see_again", 60)
    desk.close_visit(visit)


def mail_comes_back(desk: Desk, given: str, start: datetime.date, *, corrected: bool = False) -> Story:
    """Two spots are recalled together and the e-mail bounces; one is seen, the other one is forgotten by nobody."""
    yield start
    patient = desk.register(given, email=desk.address_of(given))
    desk.ledger.bouncing.add(patient.email)
    first, second = desk.add_lesion(patient, "nose"), desk.add_lesion(patient, "foot")
    visit = desk.log_visit(patient)
    for lesion in (first, second):
        desk.stored_photograph(visit, lesion, answer="nv")
        desk.plan(lesion, "see_again", 40)
    desk.close_visit(visit)
    yield start + DAYS(days=70)
    visit = desk.log_visit(patient, "Brought by a neighbour")
    desk.stored_photograph(visit, first, answer="nv")
    desk.plan(first, "discharge")
    desk.close_visit(visit)
    yield start + DAYS(days=90)
    if corrected:
        before, after = patient.email, desk.address_of(f"{given}.new")
        desk.edit_patient(patient, by=STAFF, before=before, after=after, email=after)
        desk.plan(second, "see_again", 150, by=STAFF)
    desk.close_visit(desk.log_visit(patient, "A prescription"))


def biopsied(
    desk: Desk, given: str, start: datetime.date, *, seen: str, answer: str, takes: int = 12, planned: bool = True
) -> Story:
    """A specimen is sent at the second visit, and its result comes after ``takes`` days."""
    yield start
    patient = desk.register(given)
    lesion = desk.add_lesion(patient, "chest")
    visit = desk.log_visit(patient)
    desk.stored_photograph(visit, lesion, answer=seen)
    desk.plan(lesion, "see_again", 300)
    desk.close_visit(visit)
    yield start + DAYS(days=20)
    visit = desk.log_visit(patient, "For the biopsy")
    specimen = desk.send_specimen(lesion, visit=visit)
    desk.close_visit(visit)
    yield desk.today + DAYS(days=takes)
    desk.confirm(desk.enter_result(specimen, answer))
    if answer == "mel" and planned:
        desk.plan(lesion, "refer", 400)
    yield desk.today + DAYS(days=20)
    desk.close_visit(desk.log_visit(patient, "The wound"))


def result_is_open(desk: Desk, given: str, start: datetime.date, *, entered: str = "") -> Story:
    """A specimen of the last visit has no result at the end of the year, or one that nobody has confirmed."""
    yield start
    patient = desk.register(given)
    lesion = desk.add_lesion(patient, "thigh")
    for _number in range(2):
        visit = desk.log_visit(patient)
        desk.stored_photograph(visit, lesion, answer="nv")
        desk.plan(lesion, "see_again", 60)
        desk.close_visit(visit)
        yield desk.today + DAYS(days=50)
    visit = desk.log_visit(patient, "For the biopsy")
    specimen = desk.send_specimen(lesion, kind="shave", visit=visit)
    desk.close_visit(visit)
    if entered:
        yield desk.today + DAYS(days=9)
        desk.enter_result(specimen, entered)


def procedure_is_open(desk: Desk, given: str, start: datetime.date, *, step: str, days: int) -> Story:
    yield start
    patient = desk.register(given)
    lesion = desk.add_lesion(patient, "hand")
    for _number in range(3):
        visit = desk.log_visit(patient)
        desk.photograph(visit, lesion, 0, answer="mel" if step == "biopsy" else "bcc")
        desk.plan(lesion, step, days)
        desk.close_visit(visit)
        yield desk.today + DAYS(days=75)


def contradicted(desk: Desk, given: str, start: datetime.date, *, told: bool) -> Story:
    """A signed report calls a spot benign; the laboratory calls it melanoma. Its readers are told, or not yet."""
    yield start
    patient = desk.register(given)
    lesion = desk.add_lesion(patient, "neck")
    visit = desk.log_visit(patient)
    desk.stored_photograph(visit, lesion, answer="nv")
    report = desk.sign(visit, "see_again", 300)
    yield start + DAYS(days=30)
    visit = desk.log_visit(patient, "Wants it removed")
    specimen = desk.send_specimen(lesion, kind="excision", visit=visit)
    desk.close_visit(visit)
    yield desk.today + DAYS(days=10)
    desk.confirm(desk.enter_result(specimen, "mel"))
    desk.plan(lesion, "refer", 400)
    if told:
        yield desk.today + DAYS(days=3)
        desk.add_addendum(report, "The laboratory found a melanoma. You are referred at once.")
    yield desk.today + DAYS(days=14)
    desk.close_visit(desk.log_visit(patient, "The wound"))


def second_opinion(desk: Desk, given: str, start: datetime.date, *, how: str) -> Story:
    """Another doctor is asked at the last visit: in time or not, inside the clinic or outside, read or not."""
    yield start
    patient = desk.register(given)
    lesion = desk.add_lesion(patient, "ear")
    for _number in range(2):
        visit = desk.log_visit(patient)
        image = desk.stored_photograph(visit, lesion, answer="nv")
        desk.plan(lesion, "see_again", 80)
        desk.close_visit(visit)
        yield desk.today + DAYS(days=75)
    visit = desk.log_visit(patient)
    image = desk.stored_photograph(visit, lesion, answer="nv")
    desk.plan(lesion, "see_again", 400)
    opinion = desk.ask(image, days=30 if how == "waits" else 7, outside="Dr Outside" if how == "outside" else "")
    desk.close_visit(visit)
    if how in ("unread", "read"):
        yield desk.today + DAYS(days=3)
        desk.answer(opinion, "nv")
    if how == "read":
        yield desk.today + DAYS(days=1)
        desk.read_answer(opinion)


def never_signed(desk: Desk, given: str, start: datetime.date) -> Story:
    yield start
    patient = desk.register(given)
    lesion = desk.add_lesion(patient, "face")
    for number in range(3):
        visit = desk.log_visit(patient)
        if number < 2:
            desk.stored_photograph(visit, lesion, answer="nv")
            desk.plan(lesion, "see_again", 400)
            desk.close_visit(visit)
        else:
            # Nobody has read this photograph, which the network calls urgent.
            desk.photograph(visit, lesion, 1)
        yield desk.today + DAYS(days=60)


def two_quiet_visits(desk: Desk, patient: Patient) -> Story:
    """The visits that complete the year of somebody whose story is another one."""
    for _number in range(2):
        yield desk.today + DAYS(days=70)
        desk.close_visit(desk.log_visit(patient, "A prescription"))
