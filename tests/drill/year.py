"""The year 2025 in two clinics: every story goes on at its day, and the clinic's jobs run every Monday."""

import datetime
import heapq
import random
from collections.abc import Callable, Iterator
from typing import Any

from django.conf import settings
from django.urls import reverse

from dermascan.celery import app
from tests.drill import mishaps, stories
from tests.drill.clock import Clock
from tests.drill.desk import MANAGER, Desk
from tests.drill.ledger import DAYS
from tests.drill.stories import Story
from tests.mail_server import MailServer

FIRST, LAST = datetime.date(2025, 1, 6), datetime.date(2025, 12, 31)
SEED = 20250106
EVERY_WEEK = ("send-due-messages", "send-reminders")
EVERY_MONTH = ("clear-old-messages", "delete-old-submissions", "watch")
GIVEN = [
    "Amara", "Bela", "Carmen", "Dilek", "Elif", "Fatou", "Grete", "Hanna", "Ines", "Jana", "Kaja", "Lena", "Mara",
    "Nora", "Olga", "Paula", "Rosa", "Sara", "Tina", "Ulla", "Vera", "Wilma", "Xenia", "Yara", "Zora", "Anke",
    "Birte", "Clara", "Dana", "Edda", "Frieda", "Gisela", "Helga", "Irma", "Jette", "Karla", "Lotte", "Martha",
    "Nele", "Ottilie",
]  # fmt: skip


def stories_of_a_clinic(desk: Desk, names: Iterator[str], days: Callable[[], datetime.date]) -> list[Story]:
    """The forty patients. What has to be open at the end has its own start; the others begin by lot."""
    late = datetime.date(2025, 6, 20)
    by_lot: list[tuple[Callable[..., Story], dict[str, Any]]] = [
        *((stories.followed, {"last": "discharge", "days": 0}) for _ in range(3)),
        *((stories.followed, {"days": 200}) for _ in range(3)),
        *((stories.misses_recalls, {}) for _ in range(4)),
        (stories.mail_comes_back, {}),
        (stories.mail_comes_back, {"corrected": True}),
        (stories.biopsied, {"seen": "nv", "answer": "nv"}),
        (stories.biopsied, {"seen": "mel", "answer": "nv", "takes": 45}),
        (stories.biopsied, {"seen": "mel", "answer": "mel", "takes": 40}),
        (stories.biopsied, {"seen": "mel", "answer": "mel", "planned": False}),
        (stories.procedure_is_open, {"step": "biopsy", "days": 20}),
        (stories.procedure_is_open, {"step": "refer", "days": 300}),
        (stories.contradicted, {"told": True}),
        (stories.contradicted, {"told": False}),
        (stories.never_signed, {}),
        (stories.never_signed, {}),
        (mishaps.wrong_lesion, {}),
        (mishaps.wrong_visit, {}),
        (mishaps.wrong_patient, {}),
        (mishaps.wrong_patient, {"undone": True}),
        (mishaps.registered_twice, {}),
        (mishaps.logged_by_mistake, {}),
        (mishaps.born_on_another_day, {}),
        (mishaps.visit_of_another, {}),
        (mishaps.asked_about_the_wrong_spot, {}),
    ]
    on_a_day: list[tuple[Callable[..., Story], dict[str, Any], datetime.date]] = [
        # Due within a week of the year's end.
        (stories.followed, {"days": 46}, datetime.date(2025, 4, 23)),
        # Sent in August and in December.
        (stories.result_is_open, {}, datetime.date(2025, 5, 1)),
        (stories.result_is_open, {}, datetime.date(2025, 9, 8)),
        (stories.result_is_open, {"entered": "mel"}, late),
        *((stories.second_opinion, {"how": how}, late) for how in ("expires", "unread", "read", "outside")),
        (stories.second_opinion, {"how": "waits"}, datetime.date(2025, 7, 14)),
    ]
    told = [tell(desk, next(names), days(), **how) for tell, how in by_lot]
    return told + [tell(desk, next(names), start, **how) for tell, how, start in on_a_day]


def stories_next_door(desk: Desk, names: Iterator[str], days: Callable[[], datetime.date]) -> list[Story]:
    """The second clinic: fewer patients, something open of each kind."""
    return [
        stories.followed(desk, next(names), days()),
        stories.misses_recalls(desk, next(names), days()),
        stories.result_is_open(desk, next(names), datetime.date(2025, 7, 1)),
        stories.contradicted(desk, next(names), days(), told=False),
        stories.second_opinion(desk, next(names), datetime.date(2025, 6, 20), how="expires"),
        stories.never_signed(desk, next(names), days()),
        mishaps.logged_by_mistake(desk, next(names), days()),
    ]


class Year:
    """Lets the days pass."""

    def __init__(self, clock: Clock, desk: Desk, neighbour: Desk, mail: MailServer) -> None:
        self.clock, self.desks, self.mail = clock, (desk, neighbour), mail
        app.loader.import_default_modules()  # as a worker does when it starts
        lots = random.Random(SEED)

        def days() -> datetime.date:
            return FIRST + DAYS(days=lots.randrange(70))

        told = stories_of_a_clinic(desk, iter(GIVEN), days) + stories_next_door(neighbour, iter(GIVEN), days)
        # The jobs come before the stories of the same day.
        self._waiting = [(FIRST, number, story) for number, story in enumerate([self._jobs(), *told])]
        heapq.heapify(self._waiting)
        for each in self.desks:
            remind = {"is_on": "on", "days_before": "7", "days_after": "7", "seen": "0"}
            each.post(MANAGER, reverse("reminders"), remind)

    def pass_until(self, day: datetime.date) -> None:
        """Let happen what happens up to ``day``, and stop in its morning."""
        while self._waiting and self._waiting[0][0] <= day:
            today, number, story = heapq.heappop(self._waiting)
            if today > self.clock.today:
                self.clock.set(today)
            goes_on = next(story, None)
            if goes_on is not None:
                heapq.heappush(self._waiting, (max(goes_on, today), number, story))
        self.clock.set(day)

    @property
    def is_over(self) -> bool:
        """Whether every story has been told to its end."""
        return all(number == 0 for _day, number, _story in self._waiting)

    def _jobs(self) -> Story:
        monday = FIRST
        while True:
            yield monday
            for desk in self.desks:
                self.mail.unknown |= desk.ledger.bouncing
                desk.ledger.remind(self.clock.today)
            for name in EVERY_WEEK if monday.day > 7 else (*EVERY_WEEK, *EVERY_MONTH):
                app.tasks[settings.CELERY_BEAT_SCHEDULE[name]["task"]].delay()
            monday += DAYS(days=7)
