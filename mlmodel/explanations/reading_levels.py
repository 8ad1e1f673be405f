from django.db import models


class ReadingLevel(models.TextChoices):
    PATIENT = "patient"
    CLINICIAN = "clinician"
