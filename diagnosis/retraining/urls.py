"""URLs of the network and its versions. Those of retraining runs are in ``admin_urls``."""

from django.urls import URLPattern, path

from diagnosis.retraining.views.network import network, network_report, network_report_json
from diagnosis.retraining.views.versions import proposal, version, version_history, versions

urlpatterns: list[URLPattern] = [
    path("network/", network, name="network"),
    path("network/report/", network_report, name="network-report"),
    path("network/report.json", network_report_json, name="network-report-json"),
    path("network/versions/", versions, name="versions"),
    path("network/versions/history.pdf", version_history, name="version-history"),
    path("network/versions/<int:version_id>/", version, name="version"),
    path("network/versions/<int:version_id>/proposals/<uuid:proposal_id>/", proposal, name="version-proposal"),
]
