"""Refusals about plans and reminders. ``code`` is for programs; ``message`` tells people what to do."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from dermascan.core.errors import Refused


class PlanNeedsADate(Refused):
    code = "plan_needs_a_date"

    def __init__(self) -> None:
        super().__init__(_("Say by when: choose a time or enter a date."))


class DischargeHasNoDate(Refused):
    code = "discharge_has_no_date"

    def __init__(self) -> None:
        super().__init__(_("A discharge has no date. Leave the date out, or choose another step."))


class StepNeedsADermatologist(Refused):
    """Staff state “see again” alone; the other steps are medical decisions."""

    code = "step_needs_a_dermatologist"

    def __init__(self) -> None:
        super().__init__(
            _(
                "Only a dermatologist can decide this. You can state when the lesion is to be seen again, unless a "
                "dermatologist has planned another step."
            )
        )


class ResultIsReadByADermatologist(Refused):
    code = "result_is_read_by_a_dermatologist"

    def __init__(self) -> None:
        super().__init__(_("A dermatologist closes “result awaited”, once they have read the result."))


class VisitOfAnotherPatient(Refused):
    code = "visit_of_another_patient"

    def __init__(self) -> None:
        super().__init__(_("This visit belongs to another patient than the lesion. Open the lesion from its visit."))


class PlanChangedMeanwhile(Refused):
    code = "plan_changed"

    def __init__(self) -> None:
        super().__init__(
            _("A colleague has changed the plan of this lesion since you opened the page. Read it, then decide again.")
        )


class PlanHasEnded(Refused):
    code = "plan_has_ended"

    def __init__(self) -> None:
        super().__init__(_("This plan has ended already. The page shows the lesion’s plan as it is now."))


class CancelledWithoutAReason(Refused):
    code = "cancelled_without_a_reason"

    def __init__(self) -> None:
        super().__init__(_("Explain in a sentence why the plan is cancelled. The reason stays in the record."))


class NextStepMissing(Refused):
    """Lesions of a visit that need a next step have none."""

    code = "next_step_missing"

    def __init__(self, lesions: Sequence[str]) -> None:
        words = _(
            "%(lesions)s: state the next step. The result or the label is not calm, so the lesion must not leave the "
            "clinic without a plan."
        )
        super().__init__(words % {"lesions": ", ".join(lesions)})


class DischargeUnexplained(Refused):
    """A lesion that is not calm is discharged without a note that says why."""

    code = "discharge_unexplained"

    def __init__(self, lesions: Sequence[str]) -> None:
        words = _("%(lesions)s: explain in the note why the lesion is discharged although it is not calm.")
        super().__init__(words % {"lesions": ", ".join(lesions)})


class SettingsChangedMeanwhile(Refused):
    code = "settings_changed"

    def __init__(self) -> None:
        super().__init__(_("A colleague has changed the reminders since you opened the page. Check them, then save."))


class NoAddress(Refused):
    code = "no_address"

    def __init__(self) -> None:
        super().__init__(_("The patient’s record has no e-mail address."))
