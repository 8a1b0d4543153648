"""One reader of tables for all of them: columns by their kind, searches by an index, counts that end."""

# ruff: noqa: ARG002 - the arguments are Django’s

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.paginator import Paginator
from django.db import models
from django.db.models import Field, Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone

from pipeline.audience.care.patience import TookTooLong, within
from pipeline.staff.journal import note
from pipeline.staff.models import Role, User

MOST_COUNTED = 5_000
MOST_COLUMNS = 7
A_PAGE = 50
PATIENCE_MS = 4_000
#: Nobody reads these anywhere; bytes are never shown.
SECRET = {"password", "secret", "totp", "recovery", "token", "credentials", "vault"}
#: Text that a search looks up by its beginning: each has an index that can.
SEARCHED = {
    "Subscriber": "address", "User": "email", "Newsletter": "slug", "Topic": "slug", "Segment": "slug",
    "Transport": "name", "Mailbox": "name", "Feedback": "event",
}  # fmt: skip
#: The only settings changed here: those without a page at the desk. Everything else has verbs of its own.
CHANGED = {
    "Topic": ("name", "about", "is_offered"),
    "Provider": ("connections", "per_minute", "paused_until"),
    "Transport": ("rank",),
}


class Counted(Paginator):  # type: ignore[type-arg]  # not generic at run time
    """Counts to a limit: a page number past it has no use, and counting a table of millions takes seconds."""

    @cached_property
    def count(self) -> int:
        """How many, or the limit."""
        rows = self.object_list
        return rows.order_by()[:MOST_COUNTED].count() if isinstance(rows, QuerySet) else len(rows)


class Table(ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """A table as it is."""

    actions = None
    ordering = ("-pk",)
    sortable_by = ()
    list_per_page = list_max_show_all = A_PAGE
    show_full_result_count = False
    show_facets = "NEVER"  # type: ignore[assignment]
    paginator = Counted
    search_fields = ("pk",)

    def __init__(self, model: type[Model], admin_site: Any) -> None:
        super().__init__(model, admin_site)
        self._changed: Sequence[str] = CHANGED.get(model.__name__, ())
        self.search_help_text = _help(model)  # type: ignore[misc]

    def has_module_permission(self, request: HttpRequest) -> bool:
        """As the site."""
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Administrators see everything."""
        return getattr(request.user, "role", "") == Role.ADMIN

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Where there is anything to change."""
        return bool(self._changed) and self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Rows are made by verbs."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """And forgotten by them."""
        return False

    def get_list_display(self, request: HttpRequest) -> list[str]:  # type: ignore[override]
        """The key and the short columns; a foreign key as its number, which asks nothing more."""
        short = [field.attname for field in self._shown() if _is_short(field) and not field.primary_key]
        key = self.model._meta.pk
        return [*([] if _is_bytes(key) else [key.attname]), *short[:MOST_COLUMNS]]

    def get_list_display_links(  # type: ignore[override]
        self, request: HttpRequest, list_display: Sequence[str]
    ) -> Sequence[str] | None:
        """A key of bytes has no address."""
        return None if _is_bytes(self.model._meta.pk) else list_display[:1]

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:  # type: ignore[override]
        """All that may be seen."""
        return [field.name for field in self._shown()]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        """All but what may be changed."""
        return [name for name in self.get_fields(request, obj) if name not in self._changed]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Model], search_term: str
    ) -> tuple[QuerySet[Model], bool]:
        """By the key, or by the beginning of the one text that has an index."""
        term, text = search_term.strip(), SEARCHED.get(self.model.__name__, "")
        if not term:
            return queryset, False
        if text and not term.isdigit():
            return queryset.filter(
                **{f"{text}__startswith": term.lower() if text in {"address", "email"} else term}
            ), False
        is_number = term.isascii() and term.isdigit() and len(term) < 19 and not _is_bytes(self.model._meta.pk)
        return (queryset.filter(pk=int(term)) if is_number else queryset.none()), False

    def changelist_view(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:  # fmt: skip
        """The list, if it comes in a few seconds."""
        try:
            with within(PATIENCE_MS):
                answer = super().changelist_view(request, extra_context)
                return answer.render() if isinstance(answer, TemplateResponse) else answer
        except TookTooLong:
            messages.error(
                request, "That took longer than anybody waits, so it was given up. Search for a number instead."
            )
            return redirect("admin:index")

    def save_model(self, request: HttpRequest, obj: Model, form: ModelForm[Model], change: bool) -> None:
        """Keep it, and tell the journal what it was."""
        super().save_model(request, obj, form, change)
        changed: dict[str, Any] = {
            name: {"old": str(form.initial.get(name)), "new": str(getattr(obj, name))} for name in form.changed_data
        }
        note(
            verb="change behind the desk", subject=obj._meta.model_name or "", subject_id=int(obj.pk),
            now=timezone.now(), actor=request.user if isinstance(request.user, User) else None, **changed,
        )  # fmt: skip

    def _shown(self) -> list[Field[Any, Any]]:
        return [
            field
            for field in self.model._meta.concrete_fields
            if not _is_bytes(field) and not any(word in field.name for word in SECRET)
        ]


def _is_bytes(field: Field[Any, Any]) -> bool:
    return isinstance(field, models.BinaryField)


def _is_short(field: Field[Any, Any]) -> bool:
    """Whether a column of a list can hold it."""
    return not isinstance(field, models.TextField | models.JSONField)


def _help(model: type[Model]) -> str:
    text = SEARCHED.get(model.__name__)
    number = "" if _is_bytes(model._meta.pk) else f"its number ({model._meta.pk.name})"
    return " or ".join(filter(None, (number, f"the beginning of its {text}" if text else ""))) or "not searched"
