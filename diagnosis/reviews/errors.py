"""Refusals about reviews. ``code`` is for programs; ``message`` tells people what to do."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from dermascan.core.durations import in_words
from dermascan.core.errors import Refused
from diagnosis.reviews.models import Review
from diagnosis.reviews.models.lesion_review import LATEST_MONTHS, SOONEST_MONTHS
from diagnosis.reviews.models.review import RETRACTABLE_FOR


class AnsweredMeanwhile(Refused):
    """Colleagues have added ``reviews`` since the form was rendered."""

    code = "answered_meanwhile"

    def __init__(self, reviews: Sequence[Review]) -> None:
        template = _("%(who)s: %(answer)s, %(certainty)s")
        answers = [
            template
            % {
                "who": each.reader.name,
                "answer": each.answer_words,
                "certainty": each.get_certainty_display().lower(),
            }
            for each in reviews
        ]
        words = _(
            "A colleague has answered since this page was opened (%(answers)s). Your answer is not recorded yet."
        )
        super().__init__(words % {"answers": "; ".join(answers)})
        self.reviews = tuple(reviews)


class OtherTextMissing(Refused):
    code = "other_text_missing"

    def __init__(self) -> None:
        super().__init__(_("Say what else it is."))


class MonthsMissing(Refused):
    code = "months_missing"

    def __init__(self) -> None:
        words = _("Say in how many months the lesion is to be seen again, from %(soonest)d to %(latest)d.")
        super().__init__(words % {"soonest": SOONEST_MONTHS, "latest": LATEST_MONTHS})


class NoPhotographChosen(Refused):
    code = "no_photograph_chosen"

    def __init__(self) -> None:
        super().__init__(_("Tick the photographs that your answer is about."))


class PhotographsChanged(Refused):
    """Photographs of the lesion were excluded or moved since the form was rendered."""

    code = "photographs_changed"

    def __init__(self) -> None:
        super().__init__(
            _("The photographs of the lesion have changed since you opened the page. Look at them, then answer.")
        )


class NothingToRetract(Refused):
    code = "nothing_to_retract"

    def __init__(self) -> None:
        super().__init__(_("This review was already withdrawn."))


class TooLateToRetract(Refused):
    code = "too_late_to_retract"

    def __init__(self) -> None:
        super().__init__(
            _("A review can be withdrawn for %(time)s. Add another one instead; both stay on record.")
            % {"time": in_words(RETRACTABLE_FOR)}
        )
