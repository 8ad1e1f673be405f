from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig as DjangoAdminConfig


class DermaScanConfig(AppConfig):
    name = "dermascan"
    verbose_name = "Site"


class AdminConfig(DjangoAdminConfig):
    default_site = "dermascan.admin_site.DermaScanAdminSite"
