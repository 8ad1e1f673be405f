from django.apps import AppConfig


class ModelConfig(AppConfig):
    name = "mlmodel"
    verbose_name = "Network"
