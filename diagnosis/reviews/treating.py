"""Which patients a member treats: the one rule for whose name appears beside a similar case."""

from django.db.models import Exists, OuterRef, Q, QuerySet

from diagnosis.reviews.models import Review
from patients.models import Member, Patient, Visit, is_at_a_visit_in_use


def patients_treated_by(member: Member | None) -> QuerySet[Patient]:
    """Return the patients of the member's clinic whom the member has seen or read.

    That is: the member is the clinician of one of their visits, or the reader of a review, not withdrawn, of one of
    their photographs. To belong to the same clinic is not enough.
    """
    if member is None:
        return Patient.objects.none()
    visits = Visit.objects.in_use().filter(patient=OuterRef("pk"), clinician=member).order_by()
    reviews = Review.objects.standing().filter(image__visit__patient=OuterRef("pk"), reviewer=member).order_by()
    reviews = reviews.filter(is_at_a_visit_in_use("image__visit"))
    return Patient.objects.visible_to(member).filter(Q(Exists(visits)) | Q(Exists(reviews)))
