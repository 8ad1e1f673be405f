"""Addresses of what is seen and said, slice by slice."""

from django.urls import URLPattern

from diagnosis.assessment.urls import urlpatterns as assessment
from diagnosis.comparing.urls import urlpatterns as comparing
from diagnosis.corrections.urls import urlpatterns as corrections
from diagnosis.followup.urls import urlpatterns as followup
from diagnosis.measures.urls import urlpatterns as measures
from diagnosis.monitoring.urls import urlpatterns as monitoring
from diagnosis.opinions.urls import urlpatterns as opinions
from diagnosis.outcomes.urls import urlpatterns as outcomes
from diagnosis.portal.urls import urlpatterns as portal
from diagnosis.record.urls import urlpatterns as record
from diagnosis.reports.urls import urlpatterns as reports
from diagnosis.retraining.urls import urlpatterns as retraining
from diagnosis.similar.urls import urlpatterns as similar

urlpatterns: list[URLPattern] = [
    *record,
    *assessment,
    *followup,
    *corrections,
    *measures,
    *similar,
    *comparing,
    *outcomes,
    *reports,
    *retraining,
    *monitoring,
    *opinions,
    *portal,
]
