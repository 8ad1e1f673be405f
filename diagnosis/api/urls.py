from django.urls import path

from diagnosis.api.lesion_outcomes import LesionOutcomeView
from diagnosis.api.similar_cases import SimilarView
from diagnosis.api.views import ExplanationView, PredictBatchView, PredictView

urlpatterns = [
    path("predict/", PredictView.as_view(), name="api-predict"),
    path("predict/batch/", PredictBatchView.as_view(), name="api-predict-batch"),
    path("images/<uuid:image_id>/similar/", SimilarView.as_view(), name="api-similar"),
    path("lesions/<uuid:lesion_id>/outcome/", LesionOutcomeView.as_view(), name="api-lesion-outcome"),
    path("explanation/", ExplanationView.as_view(), name="api-explanation"),
]
