"""What the admin pages of all apps share."""

import json
from typing import Any

from django import forms
from django.contrib.admin import SimpleListFilter
from django.core.exceptions import ValidationError
from django.db import models
from django.forms.fields import InvalidJSONInput
from django.http import HttpRequest, HttpResponse
from unfold.admin import ModelAdmin, StackedInline, TabularInline
from unfold.widgets import UnfoldAdminExpandableTextareaWidget

from providers.configuration import one_revision


class JsonField(forms.JSONField):
    """JSON as people type it: nothing is the empty value, and a mistake is told with its place."""

    def to_python(self, value: Any) -> Any:
        if value in self.empty_values and not self.required and callable(self.initial):
            return self.initial()
        try:
            parsed = super().to_python(value)
        except (ValidationError, ValueError, RecursionError) as problem:
            raise ValidationError(mistake(str(value))) from problem
        if "\\u0000" in json.dumps(parsed):
            raise ValidationError("No text may hold a NUL.")
        return parsed

    def bound_data(self, data: Any, initial: Any) -> Any:
        try:
            return super().bound_data(data, initial)
        except (ValueError, RecursionError):
            return InvalidJSONInput(data)

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, InvalidJSONInput):
            return value
        text = json.dumps(value, ensure_ascii=False)
        return text if len(text) <= 60 else json.dumps(value, ensure_ascii=False, indent=2)


def mistake(text: str) -> str:
    """Say where `text` stops being JSON."""
    try:
        json.loads(text)
    except json.JSONDecodeError as problem:
        return f"This is not JSON: line {problem.lineno}, column {problem.colno}: {problem.msg}."
    except (ValueError, RecursionError):
        return "This is nested too deeply, or holds too long a number."
    return "This is not JSON."


FORM_FIELDS = {
    models.URLField: {"assume_scheme": "https"},
    models.JSONField: {
        "form_class": JsonField,
        "widget": UnfoldAdminExpandableTextareaWidget(attrs={"spellcheck": "false"}),
    },
}


class ConfigurationAdmin(ModelAdmin):
    """A page that changes configuration: what one click saves is one revision."""

    formfield_overrides = FORM_FIELDS
    compressed_fields = False
    warn_unsaved_form = True

    def changeform_view(self, request: HttpRequest, *args: Any, **options: Any) -> HttpResponse:
        if request.method != "POST":
            return super().changeform_view(request, *args, **options)
        with one_revision():
            return super().changeform_view(request, *args, **options)


class Rows(TabularInline):
    """Short rows below their owner, one line each."""

    formfield_overrides = FORM_FIELDS
    extra = 0
    tab = True


class Blocks(StackedInline):
    """Long rows below their owner, one block each."""

    formfield_overrides = FORM_FIELDS
    extra = 0
    tab = True


class Given:
    """Rows that are there from the beginning: changed by hand, never added or deleted."""

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnly(Given):
    """Rows that the system writes: nobody adds, changes or deletes one by hand."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class Choice(SimpleListFilter):
    """A filter of named conditions: `conditions` maps a word to its lookups."""

    conditions: dict[str, models.Q]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(word, word) for word in self.conditions]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet) -> models.QuerySet:
        condition = self.conditions.get(self.value() or "")
        return queryset if condition is None else queryset.filter(condition)
