"""Misses: what histopathology calls malignant, and a calm answer or a signed report had not warned of."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from diagnosis.images.models import Image, Prediction, Tier
from diagnosis.images.models.prediction import PredictionQuerySet
from diagnosis.monitoring.activity import window
from diagnosis.outcomes.models import PathologyResult, Specimen, SpecimenKind
from diagnosis.outcomes.models.pathology import PathologyResultQuerySet
from diagnosis.reports.models import ContradictedReport
from diagnosis.reports.models.contradicted import ContradictedReportQuerySet
from patients.models import Clinic, Member


@dataclass(frozen=True)
class Miss:
    """A malignant result, with the calm answers and the signed reports before it.

    Attributes:
        answers: the calm answers to photographs up to the day on which the specimen was sent, oldest first.
        reports: the signed reports that did not warn.
    """

    result: PathologyResult
    answers: tuple[Prediction, ...]
    reports: tuple[ContradictedReport, ...]


def missed_results(member: Member | None, *, signed_by_me: bool = False) -> PathologyResultQuerySet:
    """Return the malignant results of the member's clinic that count and were missed, newest first.

    Args:
        signed_by_me: only those of which a report that ``member`` signed did not warn.
    """
    results = _missed(PathologyResult.objects.visible_to(member))
    if signed_by_me:
        results = results.filter(Exists(_silent_reports().filter(report__signed_by=member)))
    return results.order_by("-confirmed_at", "pk")


def with_what_was_said(results: Sequence[PathologyResult]) -> list[Miss]:
    """Return each result with what was said before it, in a fixed number of queries."""
    answers: defaultdict[UUID, list[Prediction]] = defaultdict(list)
    lesions = {result.specimen.lesion_id for result in results}
    calm = _calm().filter(image__lesion__in=lesions).select_related("image__visit", "model_version")
    for prediction in calm.order_by("image__visit__date", "step"):
        answers[prediction.image.lesion_id].append(prediction)
    excised = _excisions(lesions)
    reports: defaultdict[UUID, list[ContradictedReport]] = defaultdict(list)
    rows = ContradictedReport.objects.misses().filter(result__in=[result.pk for result in results])
    for row in rows.select_related("report__visit", "report__signed_by__user").order_by("report__signed_at"):
        reports[row.result_id].append(row)
    return [
        Miss(
            result,
            tuple(each for each in answers[result.specimen.lesion_id] if _is_before(each, result, excised)),
            tuple(reports[result.pk]),
        )
        for result in results
    ]


@dataclass(frozen=True)
class MissCounts:
    """The misses that the laboratory results of a period brought to light.

    Attributes:
        results: their number by answer, whether an answer or a report had not warned.
        reports: the number of signed reports that had not warned, by answer.
    """

    results: dict[str, int]
    reports: dict[str, int]

    @property
    def result_count(self) -> int:
        return sum(self.results.values())

    @property
    def report_count(self) -> int:
        return sum(self.reports.values())


def miss_counts(clinic: Clinic | None, *, days: int) -> MissCounts:
    """Return the misses of results that were confirmed in the latest ``days`` days, of one clinic or of all.

    ``diagnoses_of`` counts by the day of the answer and misses those whose result took longer than the period.
    """
    results = PathologyResult.objects.filter(confirmed_at__range=window(days))
    if clinic is not None:
        results = results.filter(specimen__clinic=clinic)
    missed = dict(_missed(results).order_by().values_list("pk", "answer"))
    reports = ContradictedReport.objects.misses().filter(result__in=list(missed)).order_by()
    return MissCounts(
        results=dict(Counter(missed.values())),
        reports=dict(Counter(missed[key] for key in reports.values_list("result", flat=True))),
    )


def _missed(results: PathologyResultQuerySet) -> PathologyResultQuerySet:
    return results.counting().malignant().filter(Exists(_calm_before_this()) | Exists(_silent_reports()))


def _silent_reports() -> ContradictedReportQuerySet:
    """The signed reports that did not warn of the result of the outer query."""
    return ContradictedReport.objects.misses().filter(result=OuterRef("pk")).order_by()


def _calm() -> PredictionQuerySet:
    """The calm answers as they were shown when a photograph was analysed; re-scores of the archive came later."""
    in_use = Image.objects.in_use().filter(pk=OuterRef("image")).order_by()
    return Prediction.objects.of_new_photographs().of_shown_tier(Tier.CALM).filter(Exists(in_use))


def _calm_before_this() -> PredictionQuerySet:
    """The calm answers before the result of the outer query: ``_is_before`` in the database."""
    earlier_excision = Specimen.objects.standing().filter(
        lesion=OuterRef("image__lesion"),
        kind=SpecimenKind.EXCISION,
        sent_on__gte=OuterRef("image__visit__date"),
        sent_on__lt=OuterRef(OuterRef("specimen__sent_on")),
    )
    return (
        _calm()
        .filter(
            image__lesion=OuterRef("specimen__lesion"),
            image__visit__date__lte=OuterRef("specimen__sent_on"),
            step__lte=OuterRef("counted_after"),
        )
        .exclude(Exists(earlier_excision.order_by()))
        .order_by()
    )


def _excisions(lesions: set[UUID]) -> list[Specimen]:
    return list(Specimen.objects.standing().filter(Q(lesion__in=lesions), kind=SpecimenKind.EXCISION).order_by())


def _is_before(prediction: Prediction, result: PathologyResult, excisions: Sequence[Specimen]) -> bool:
    """Whether an answer was given before the result, and about what was examined.

    What was excised before the specimen was sent belongs to that excision's own result.
    """
    day, specimen = prediction.image.visit.date, result.specimen
    if day > specimen.sent_on or prediction.step > (result.counted_after or 0):
        return False
    of_the_lesion = (each for each in excisions if each.lesion_id == specimen.lesion_id)
    return not any(day <= each.sent_on < specimen.sent_on for each in of_the_lesion)
