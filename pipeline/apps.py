"""The one Django app: its label names the tables, its rooms hold the models."""

from django.apps import AppConfig


class DatelineConfig(AppConfig):
    """App `pipeline`, label `dateline`: a model moves between rooms without a migration."""

    name = "pipeline"
    label = "dateline"
    default_auto_field = "django.db.models.BigAutoField"
