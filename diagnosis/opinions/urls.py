"""URLs of second opinions: of the clinic, and of the doctor outside who has a link."""

from django.urls import URLPattern, path

from diagnosis.opinions.views import clinic, shared

urlpatterns: list[URLPattern] = [
    path("lesions/<uuid:lesion_id>/opinion/", clinic.ask, name="opinion-ask"),
    path("opinions/", clinic.opinions, name="opinions"),
    path("opinions/<uuid:request_id>/", clinic.opinion, name="opinion"),
    path("opinions/<uuid:request_id>/answer/", clinic.answer, name="opinion-answer"),
    path("opinions/<uuid:request_id>/revoke/", clinic.revoke, name="opinion-revoke"),
    path("opinions/<uuid:request_id>/code/", clinic.new_code, name="opinion-new-code"),
    path("shared/<uuid:request_id>/<str:signature>/", shared.shared, name="shared-opinion"),
    path("shared/<uuid:request_id>/<str:signature>/answer/", shared.answer, name="shared-opinion-answer"),
    path(
        "shared/<uuid:request_id>/<str:signature>/<int:number>/", shared.photograph, name="shared-opinion-photograph"
    ),
]
