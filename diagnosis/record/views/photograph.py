"""The result page: the network's answer about one photograph, its explanation, and the reviews."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from dermascan.core.errors import Refused
from dermascan.core.once import once
from diagnosis.assessment.advice import CaseContext, caveats_without_answer, tone_without_answer
from diagnosis.assessment.analysis import analyse_image
from diagnosis.assessment.explain import explain
from diagnosis.assessment.facts_view import photograph_facts
from diagnosis.assessment.findings import ExcludedFinding, excluded_findings_beside
from diagnosis.assessment.forms import OverrideForm
from diagnosis.assessment.next_steps import steps_of
from diagnosis.assessment.overrides import override_refusal
from diagnosis.assessment.photographs import Photograph, photograph_and_others, photograph_of
from diagnosis.assessment.presentation import TIER_MARKS, AssessmentView, present_explanation, present_prediction
from diagnosis.assessment.refusals import present_refusal, quality_facts
from diagnosis.images.models import Image, Tier
from diagnosis.measures.forms import ScaleForm
from diagnosis.measures.measure_words import present_measures
from diagnosis.measures.services import measures_if_readable, newest_scale
from diagnosis.reports.addendum_content import plan_not_for, plan_replaced_on
from diagnosis.reports.content import settled_label
from diagnosis.reports.models import Addendum, Report
from diagnosis.reports.validity import reports_contradicted_by
from diagnosis.retraining.models import versions_that_used
from diagnosis.reviews.blinding import note_seen
from diagnosis.reviews.errors import AnsweredMeanwhile
from diagnosis.reviews.forms import ReviewForm
from diagnosis.reviews.labelled_images import with_confirmed_label
from diagnosis.reviews.review_words import LABEL_MARKS, LabelView, article_of, present_label, rule_hint
from diagnosis.reviews.services import record_review, reviews_token
from mlmodel.network.quality import Reliability
from mlmodel.versions.serving import active_version
from patients.access import EVERYONE_IN_THE_CLINIC, require_role
from patients.middleware import MemberRequest
from patients.models import Member, Role

# How many other photographs of the lesion are shown; the lesion's page shows all.
OTHERS_SHOWN = 12


@require_role(*EVERYONE_IN_THE_CLINIC)
@require_safe
def image(request: MemberRequest, image_id: UUID) -> HttpResponse:
    return _result(request, _find(request.member, image_id))


@require_role(*EVERYONE_IN_THE_CLINIC)
@require_safe
def explanation(request: MemberRequest, image_id: UUID) -> HttpResponse:
    """Return the explanation for htmx to insert into the page; it comes from the language model if one is set up."""
    photograph = photograph_of(_find(request.member, image_id))
    note_seen(request.member, [photograph.image])
    prediction = photograph.prediction
    if prediction is None:
        raise Http404(_("This photograph was not analysed, so there is nothing to explain."))
    context = _explanation(photograph, present_prediction(prediction), photograph.case_context, ask=True)
    if not context:
        raise Http404(_("The network gave no diagnosis for this photograph, so there is nothing to explain."))
    return render(request, "assessment/includes/explanation.html", context)


@require_role(Role.DERMATOLOGIST)
@require_POST
@once(in_one_transaction=False)
def override(request: MemberRequest, image_id: UUID) -> HttpResponse:
    image_row = _find(request.member, image_id)
    form = OverrideForm(request.POST)
    if form.is_valid():
        try:
            override_refusal(image=image_row, by=request.member, reason=form.cleaned_data["reason"])
            messages.success(request, _("The photograph was analysed. Your reason is stored with it."))
            return redirect(image_row)
        except Refused as error:
            form.add_error(None, error.as_form_error())
    return _result(request, image_row, override_form=form, status=422)


@require_role(Role.DERMATOLOGIST)
@require_POST
@once
def review(request: MemberRequest, image_id: UUID) -> HttpResponse:
    image_row = _find(request.member, image_id)
    form = ReviewForm(request.POST)
    if not form.is_valid():
        return _result(request, image_row, review_form=form, status=422)
    try:
        record_review(image=image_row, reviewer=request.member, **form.cleaned_data)
        messages.success(request, _("Your review is recorded."))
    except AnsweredMeanwhile as conflict:
        form.renew(reviews_token(image=image_row, reader=request.member))
        return _result(request, image_row, review_form=form, conflict=conflict, status=409)
    except Refused as error:
        messages.error(request, str(error), extra_tags=error.code)
    return redirect(image_row)


@require_role(*EVERYONE_IN_THE_CLINIC)
@require_POST
@once(in_one_transaction=False)
def analyse(request: MemberRequest, image_id: UUID) -> HttpResponse:
    """Analyse a photograph with the active network."""
    image_row = _find(request.member, image_id)
    if not image_row.is_accepted and not hasattr(image_row, "override"):
        messages.error(
            request,
            _("This photograph was refused. Take a better one, or ask a dermatologist to have it analysed anyway."),
        )
        return redirect(image_row)
    try:
        analyse_image(image=image_row)
    except Refused as error:
        messages.error(request, str(error), extra_tags=error.code)
    return redirect(image_row)


def _find(member: Member | None, image_id: UUID) -> Image:
    images = (
        with_confirmed_label(Image.objects.visible_to(member))
        .select_related("visit__patient__clinic", "lesion", "uploaded_by__user")
        .select_related("override__member__user", "label__review")
    )
    return get_object_or_404(images, pk=image_id)


def _result(
    request: MemberRequest,
    image: Image,
    *,
    review_form: ReviewForm | None = None,
    override_form: OverrideForm | None = None,
    conflict: AnsweredMeanwhile | None = None,
    status: int = 200,
) -> HttpResponse:
    photograph, others = photograph_and_others(image)
    note_seen(request.member, [image, *(other.image for other in others[:OTHERS_SHOWN])])
    prediction = photograph.prediction
    plan = _plan(image)
    missed = excluded_findings_beside(image)
    is_warned = photograph.warns_of_danger or bool(plan["contradicted_reports"] or missed)
    context = {
        "image": image,
        "photograph": photograph,
        "prediction": prediction,
        "lesion": image.lesion,
        "visit": image.visit,
        "patient": image.visit.patient,
        "others": others[:OTHERS_SHOWN],
        **_exclusion(image),
        "same_file": list(Image.objects.with_the_same_file(image).select_related("lesion__patient")[:OTHERS_SHOWN]),
        "reviews": image.reviews.select_related("reviewer__user", "outside_reader", "retraction", "second_opinion"),
        "contradictions": photograph.contradictions,
        "excluded_findings": missed,
        "label_changes": image.label_changes.select_related("review__reviewer__user", "review__outside_reader"),
        "settled": _label(photograph, is_warned=is_warned),
        **plan,
        "rule_hint": rule_hint(image.visit.patient.clinic),
        "is_refused": prediction is None and not image.is_accepted,
        **_answer(photograph, is_warned=is_warned, missed=missed),
        **_measures(photograph),
        **photograph_facts(image, request.member),
    }
    if request.member.is_dermatologist and "exclusion" not in context:
        made_from = reviews_token(image=image, reader=request.member)
        context["review_form"] = review_form or ReviewForm(initial={"made_from": made_from})
        context["conflict"] = conflict
        context["override_form"] = override_form or OverrideForm()
    return render(request, "record/image.html", context, status=status)


def _exclusion(image: Image) -> dict[str, Any]:
    """Return the exclusion of the photograph, if any, and the versions that used it before."""
    row = image.exclusions.standing().select_related("member__user").first()
    if row is None:
        return {}
    return {"exclusion": row, "used_by": versions_that_used(images=Image.objects.filter(pk=image.pk))}


def _label(photograph: Photograph, *, is_warned: bool) -> LabelView | None:
    """Return the settled label. A benign one is not shown as calm if it does not count or the page warns of danger."""
    label = settled_label(photograph.image)
    if label is None:
        return None
    view = present_label(label.answer, label.review.other_text if label.review else "")
    if photograph.known.is_excluded:
        return replace(view, tone="refused", mark=LABEL_MARKS["refused"])
    if is_warned and view.tone == Tier.CALM:
        return replace(view, tone=str(Tier.WATCH), mark=LABEL_MARKS[Tier.WATCH])
    return view


def _plan(image: Image) -> dict[str, Any]:
    """Return the signed reports that contradict the label, and the addenda to the plan of its visit."""
    unreported = reports_contradicted_by(image)
    addenda: list[Addendum] = []
    if not image.visit.is_open:
        addenda = list(Addendum.objects.filter(report__visit=image.visit_id).order_by("-number"))
    withheld = Report.objects.kept_from_patients().filter(pk__in=[report.pk for report in unreported])
    return {
        "contradicted_reports": unreported,
        "reports_withheld": set(withheld.values_list("pk", flat=True)),
        "report_is_misleading": any(report.visit_id == image.visit_id for report in unreported),
        "addenda": addenda,
        "plan_replaced_on": plan_replaced_on(addenda),
        "plan_not_for": plan_not_for(json.loads(each.content) for each in addenda),
    }


def _answer(photograph: Photograph, *, is_warned: bool, missed: Sequence[ExcludedFinding]) -> dict[str, Any]:
    """Return the assessment with its explanation, or the refusal."""
    image, prediction, case_context = photograph.image, photograph.prediction, photograph.case_context
    facts = quality_facts(
        verdict=image.verdict,
        measures=image.measures,
        width=image.width,
        height=image.height,
        overridden=hasattr(image, "override"),
        kind=image.kind,
    )
    if prediction is None:
        refusal = None if image.is_accepted else present_refusal(image.verdict, facts=facts)
        tone = tone_without_answer(case_context)
        caveats = caveats_without_answer(case_context)
        return {
            "refusal": refusal,
            "warnings": {"caveats": caveats, "tone": str(tone), "mark": TIER_MARKS[tone]},
            "next_steps": steps_of(photograph, None, missed=missed),
        }
    view = present_prediction(prediction, facts=facts, case_context=case_context, is_warned=is_warned)
    return {
        "view": view,
        "next_steps": steps_of(photograph, view, missed=missed),
        "against": photograph.against(view.tone),
        # Never waits for the language model: htmx loads its explanation later.
        **_explanation(photograph, view, case_context, ask=False),
        "ask_for_explanation": bool(settings.GEMINI_API_KEY),
        "is_current": prediction.model_version_id == active_version().pk,
    }


def _measures(photograph: Photograph) -> dict[str, Any]:
    """Return the measures of a photograph with a reliable answer; refused ones are not measured."""
    image = photograph.image
    is_reliable = photograph.prediction is not None and image.reliability is Reliability.CALIBRATED
    measures = measures_if_readable(image=image) if is_reliable else None
    if measures is None:
        return {}
    return {
        "measures": present_measures(measures.values, width=image.width, height=image.height, scale=measures.scale),
        "scale_form": ScaleForm(newest=newest_scale(image)),
    }


def _explanation(
    photograph: Photograph, view: AssessmentView, case_context: CaseContext, *, ask: bool
) -> dict[str, Any]:
    """Return the article about the confirmed diagnosis, or else about the class that explains the network's answer.

    For the latter, the article about the most probable class is one click away if that is another class. Empty if
    there is neither.
    """
    confirmed = getattr(photograph.image, "confirmed_answer", None)
    code = article_of(confirmed) if confirmed else view.explained_code
    if not code:
        return {}
    tier = case_context.explained_as(Tier(view.tier))
    other_code = "" if confirmed else view.other_code
    explained = explain(code=code, ask=ask)
    return present_explanation(
        explained,
        tier=tier,
        other_code=other_code,
        is_confirmed=bool(confirmed),
        is_in_doubt=bool(photograph.contradictions or case_context.suspected_elsewhere)
        or photograph.known.is_stored_elsewhere,
    )
