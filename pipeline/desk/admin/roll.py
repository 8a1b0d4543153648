"""Every table of ours, there by being a table."""

from __future__ import annotations

from django.apps import apps

from pipeline.desk.admin.site import BehindTheDesk, site
from pipeline.desk.admin.tables import Table


def registered() -> BehindTheDesk:
    """The site with every model of the one app; calling it again changes nothing."""
    for model in apps.get_app_config("dateline").get_models():
        if not site.is_registered(model):
            site.register(model, Table)
    return site
