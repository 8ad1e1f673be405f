from django.urls import path

from diagnosis.api.views import ExplanationView, PredictBatchView, PredictView

urlpatterns = [
    path("predict/", PredictView.as_view(), name="api-predict"),
    path("predict/batch/", PredictBatchView.as_view(), name="api-predict-batch"),
    path("explanation/", ExplanationView.as_view(), name="api-explanation"),
]
