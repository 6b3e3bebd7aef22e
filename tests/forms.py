"""Fill an admin page's form as a browser would: with what the page showed."""

from typing import Any

from django.http import HttpResponse
from django.test import Client


def shown(response: HttpResponse) -> dict[str, Any]:
    """Return what a browser would post back from this page, unchanged."""
    data = fields(response.context["adminform"].form)
    for inline in response.context["inline_admin_formsets"]:
        data |= fields(inline.formset.management_form)
        for form in inline.formset.initial_forms:
            data |= fields(form)
    return data


def fields(form: Any) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for bound in form:
        name, value, widget = bound.html_name, bound.value(), bound.field.widget
        if bound.field.show_hidden_initial:
            data[f"initial-{name}"] = value
        if hasattr(widget, "decompress"):
            parts = widget.decompress(value)
            data |= {f"{name}_{i}": part for i, part in enumerate(parts) if part is not None}
        elif (
            value is not None
            and value is not False
            and getattr(widget, "input_type", "") != "password"
        ):
            data[name] = value
    return data


def save(client: Client, url: str, **changes: Any) -> HttpResponse:
    """Open the page, change some of its fields, and post it. Keys use `__` for inline dashes."""
    data = shown(client.get(url)) | {name.replace("__", "-"): v for name, v in changes.items()}
    return client.post(url, data)


def errors(response: HttpResponse) -> str:
    """Return every sentence that the answered form complains with; empty when it was accepted."""
    if response.status_code == 302:
        return ""
    assert response.status_code == 200, response.status_code
    complaints = str(response.context["errors"])
    for inline in response.context["inline_admin_formsets"]:
        complaints += str(inline.formset.errors) + str(inline.formset.non_form_errors())
    return complaints
