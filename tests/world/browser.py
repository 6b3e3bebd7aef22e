"""A person at the admin: logs in, opens a form over HTTP, changes a field, saves."""

import uuid
from html.parser import HTMLParser
from typing import Any

import httpx

from tests.world.gateway import Gateway

MAKE = """
from django.contrib.auth import get_user_model
get_user_model().objects.create_{kind}({name!r}, password={name!r}, is_staff={staff})
"""


class Form(HTMLParser):
    """What a browser would post of a page's forms, unchanged. Of an upload: nothing."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.data: dict[str, Any] = {}
        self.select = ""
        self.area = ""
        self.feed(page)

    def handle_starttag(self, tag: str, given: list[tuple[str, str | None]]) -> None:
        attrs = {name: value or "" for name, value in given}
        name = attrs.get("name", "")
        if tag == "select":
            self.select = name
        elif tag == "option" and self.select and "selected" in attrs:
            self.data[self.select] = attrs.get("value", "")
        elif tag == "textarea":
            self.area, self.data[name] = name, ""
        elif tag == "input" and name and self.counts(attrs):
            box = attrs.get("type") in ("checkbox", "radio")
            self.data[name] = attrs.get("value", "on" if box else "")

    def counts(self, attrs: dict[str, str]) -> bool:
        kind = attrs.get("type", "text")
        if kind in ("checkbox", "radio"):
            return "checked" in attrs
        return kind not in ("submit", "button", "file", "image", "reset")

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self.select = ""
        elif tag == "textarea":
            self.data[self.area] = self.data[self.area].removeprefix("\n")
            self.area = ""

    def handle_data(self, data: str) -> None:
        if self.area:
            self.data[self.area] += data


class Browser:
    """`staff`: an admin who may do everything, or somebody without rights in the admin."""

    def __init__(self, gateway: Gateway, staff: bool = True) -> None:
        name = f"user-{uuid.uuid4().hex[:8]}"
        kind = "superuser" if staff else "user"
        gateway.manage("shell", "-c", MAKE.format(kind=kind, name=name, staff=staff))
        page = {"Accept": "text/html", "Origin": gateway.url, "Referer": gateway.url}
        self.http = httpx.Client(
            base_url=gateway.url, headers=page, trust_env=False, timeout=20, follow_redirects=False
        )
        self.login(name)

    def login(self, name: str) -> None:
        form = Form(self.http.get("/admin/login/").text).data
        form |= {"username": name, "password": name}
        done = self.http.post("/admin/login/?next=/admin/", data=form)
        assert "sessionid" in self.http.cookies, done.text[:500]

    def save(self, path: str, **changes: Any) -> None:
        """Open a form, change fields of it, save; AssertionError with the page if refused.

        None takes a field out, as an unticked box does; `__` stands for an inline's dash.
        """
        shown = self.http.get(path)
        assert shown.status_code == 200, (path, shown.status_code)
        data = Form(shown.text).data
        for name, value in changes.items():
            data[name.replace("__", "-")] = value
        data = {name: value for name, value in data.items() if value is not None}
        done = self.http.post(path, data=data | {"_save": "Save"})
        assert done.status_code == 302, complaints(done.text)

    def close(self) -> None:
        self.http.close()


def complaints(page: str) -> str:
    """Return the part of a refused form that says why."""
    start = page.find("error")
    return page[max(0, start - 200) : start + 1500]
