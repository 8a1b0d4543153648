"""What the steps of the guide ask, as a person types it. Messages say what to do."""

from __future__ import annotations

import re
from datetime import time
from typing import Any
from urllib.parse import quote

from django import forms

from pipeline.channels.base import MailServer
from pipeline.delivery.message.mail import DEFAULT_PORTS, SECURITY
from pipeline.desk.sources.terms import TermsForm
from pipeline.editions.designs.look import PAPERS, TYPEFACES
from pipeline.editions.models import Newsletter
from pipeline.schedule.newsletters.making import DESIGNS, Plan

_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\]")
WEEKDAYS = (("mon", "Mon"), ("tue", "Tue"), ("wed", "Wed"), ("thu", "Thu"), ("fri", "Fri"), ("sat", "Sat"), ("sun", "Sun"))  # fmt: skip


class NewsletterForm(forms.Form):
    """A new newsletter."""

    name = forms.CharField(max_length=80, error_messages={"required": "Give it a name readers will know."})
    at = forms.TimeField(input_formats=["%H:%M"], error_messages={"required": "Say when it leaves, such as 06:30.", "invalid": "Write the time as 06:30."})  # fmt: skip
    days = forms.MultipleChoiceField(choices=WEEKDAYS, error_messages={"required": "Choose at least one day."})
    zone = forms.CharField(max_length=64)
    approval = forms.ChoiceField(choices=Newsletter.Approval.choices)
    publisher = forms.CharField(max_length=120, error_messages={"required": "Say whom readers see as the sender."})
    sender = forms.CharField(max_length=254, error_messages={"required": "Give the address it is sent from."})

    clean_zone = TermsForm.clean_zone

    def plan(self, *, home_url: str) -> Plan:
        """What a valid form says."""
        told = self.cleaned_data
        at: time = told["at"]
        every_day = len(told["days"]) == len(WEEKDAYS)
        kind = {"kind": "daily"} if every_day else {"kind": "weekly", "weekdays": told["days"]}
        return Plan(
            name=told["name"].strip(), sender=told["sender"].strip(), publisher=told["publisher"].strip(),
            cadence={**kind, "zone": told["zone"], "at": [f"{at:%H:%M}"]}, zone=told["zone"], home_url=home_url,
            approval=told["approval"],
        )  # fmt: skip


class SenderForm(forms.Form):
    """Who sends."""

    from_name = forms.CharField(max_length=120, error_messages={"required": "Say whom readers see as the sender."})
    from_address = forms.CharField(max_length=254, error_messages={"required": "Give the address it is sent from."})
    postal_address = forms.CharField(max_length=300, required=False)

    def wanted(self) -> dict[str, Any]:
        """As `changing.change` takes it."""
        told = self.cleaned_data
        return {
            "from_name": told["from_name"], "from_address": told["from_address"].strip().lower(),
            "masthead.postal_address": told["postal_address"].replace("\r\n", "\n"),
        }  # fmt: skip


class RelayForm(forms.Form):
    """Where mail is handed over."""

    host = forms.RegexField(regex=rf"^(?:{_HOST.pattern})$", max_length=253, error_messages={"required": "Name the mail server.", "invalid": "Give the server’s name alone, such as mail.example.org."})  # fmt: skip
    port = forms.IntegerField(min_value=1, max_value=65535, required=False)
    security = forms.ChoiceField(choices=[(scheme, scheme) for scheme in SECURITY])
    username = forms.CharField(max_length=200, required=False)
    password = forms.CharField(max_length=400, required=False, strip=False)

    def url(self, *, kept_password: str = "") -> str:
        """The server's address, as DATELINE_SMTP_URL would have it."""
        told = self.cleaned_data
        secret = told["password"] or (kept_password if told["username"] else "")
        who = f"{quote(told['username'], safe='')}:{quote(secret, safe='')}@" if told["username"] else ""
        return f"{told['security']}://{who}{told['host']}:{told['port'] or DEFAULT_PORTS[told['security']]}"


def relay_typed(server: MailServer) -> dict[str, str]:
    """A relay as its fields show it; a password never is."""
    scheme = next(name for name, kind in SECURITY.items() if kind == server.security)
    return {"host": server.host, "port": str(server.port), "security": scheme, "username": server.username}


class DesignForm(forms.Form):
    """How it looks."""

    design = forms.ChoiceField(choices=[(name, name.capitalize()) for name in DESIGNS])
    paper = forms.ChoiceField(choices=[(name, name.capitalize()) for name in PAPERS], required=False)
    typeface = forms.ChoiceField(choices=[(name, name.capitalize()) for name in TYPEFACES], required=False)
    accent = forms.RegexField(regex=r"^#[0-9a-fA-F]{6}$", required=False, error_messages={"invalid": "Write the colour as #9b1c2e."})  # fmt: skip
    tagline = forms.CharField(max_length=120, required=False)
    logo_url = forms.RegexField(regex=r"^https?://[^\s\"<>]+$", max_length=500, required=False, error_messages={"invalid": "Give the address of a picture on the web, beginning with https://."})  # fmt: skip

    def wanted(self) -> dict[str, Any]:
        """As `changing.change` takes it."""
        return {f"masthead.{name}": value for name, value in self.cleaned_data.items()}
