"""Reasons for refusing to sign a visit or to release its report."""

from django.utils.translation import gettext as _

from dermascan.core.errors import Refused


class NothingToSign(Refused):
    code = "nothing_to_sign"

    def __init__(self) -> None:
        super().__init__(_("This visit has no photographs. Add at least one before you sign."))


class PhotographUnreadable(Refused):
    code = "photograph_unreadable"

    def __init__(self) -> None:
        super().__init__(
            _(
                "The file of a photograph cannot be read, so nothing was signed. Tell the operator of this "
                "installation."
            )
        )


class PlanMissing(Refused):
    code = "plan_missing"

    def __init__(self, lesions: list[str]) -> None:
        words = _(
            "%(lesions)s: labelled malignant or possibly malignant, or urgent, and the plan is empty. Write what "
            "happens next and by when. If there is to be no plan, explain why in a sentence: the reason is stored in "
            "the record."
        )
        super().__init__(words % {"lesions": ", ".join(lesions)})


class SameFileUnchecked(Refused):
    code = "same_file_unchecked"

    def __init__(self, lesions: list[str]) -> None:
        words = _(
            "%(lesions)s: the same file is stored under another lesion too. Look at both, then confirm that it shows "
            "this patient's lesion, or exclude the photograph."
        )
        super().__init__(words % {"lesions": ", ".join(lesions)})


class NotSigned(Refused):
    code = "not_signed"

    def __init__(self) -> None:
        super().__init__(_("Sign the visit before you release it."))


class AlreadyReleased(Refused):
    code = "already_released"

    def __init__(self) -> None:
        super().__init__(_("This visit has already been released to the patient."))


class ReviewsContradictReport(Refused):
    code = "reviews_say_otherwise"

    def __init__(self) -> None:
        super().__init__(
            _(
                "Newer reviews contradict the signed report, so the patient would read something that is no "
                "longer correct. Add an addendum with what they must know, then release the report."
            )
        )


class OtherVisitChanged(Refused):
    code = "otherwise_elsewhere"

    def __init__(self, lesions: list[str]) -> None:
        words = _(
            "%(lesions)s: another visit confirms or suspects a danger that is not in the report, or has withdrawn a "
            "label that the report quotes. Add an addendum with what its readers must know, then release the report."
        )
        super().__init__(words % {"lesions": ", ".join(lesions)})


class RecordChangedSince(Refused):
    code = "record_changed_since"

    def __init__(self, changed: list[str]) -> None:
        words = _(
            "The record has changed since the report was signed: %(changed)s. Add an addendum with what its "
            "readers must know, then release the report."
        )
        super().__init__(words % {"changed": ", ".join(changed)})


class ShowsOtherPatient(Refused):
    code = "shows_other_patient"

    def __init__(self) -> None:
        super().__init__(
            _(
                "This report shows another patient, so it cannot be released. Log a new visit with this patient's "
                "photographs and sign that one."
            )
        )


class VisitIsVoid(Refused):
    code = "visit_is_void"

    def __init__(self) -> None:
        super().__init__(
            _("This report's visit is void: it was entered by mistake. Its report cannot be released again.")
        )


class ExcludedSince(Refused):
    code = "excluded_since"

    def __init__(self) -> None:
        super().__init__(
            _(
                "A photograph has been excluded since the report was signed. Add an addendum with what its readers "
                "must know, then release the report."
            )
        )
