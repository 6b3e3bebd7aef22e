"""Every page of /account/ for every role: who may open it, and what they see there."""

from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import reverse

from billing.models import ApiKey
from billing.organisations.models import Membership
from gatewayz.web.urls import urlpatterns
from tests.gatewayz.web.conftest import Acme

EVERYONE = ("owner", "member", "billing", "stranger", "loner", "nobody")
# By page: what owner, member, billing, a stranger, somebody without organisation and nobody get.
PAGES = {
    "home": (302, 302, 302, 302, 200, "login"),
    "password": (200, 200, 200, 200, 200, "login"),
    "login": (200, 200, 200, 200, 200, 200),
    "overview": (200, 200, 200, 404, 404, "login"),
    "keys": (200, 200, 403, 404, 404, "login"),
    "usage": (200, 200, 200, 404, 404, "login"),
    "money": (200, 403, 200, 404, 404, "login"),
    "members": (200, 403, 403, 404, 404, "login"),
}
# The same for what changes something, sent by POST; a GET of it is a 405 for all.
CHANGES = {
    "revoke": (302, 404, 403, 404, 404, "login"),  # of a key that another member holds
    "rotate": (404, 404, 403, 404, 404, "login"),
    "role": (302, 403, 403, 404, 404, "login"),
    "remove": (302, 403, 403, 404, 404, "login"),
    "link": (302, 403, 403, 404, 404, "login"),
}
WITHOUT_ROLES = {"logout", "password-set"}


def address(acme: Acme, name: str) -> str:
    if name in ("home", "login", "password"):
        return reverse(f"account:{name}")
    more = {
        "revoke": [acme.keys["second"].public_id],
        "rotate": [acme.keys["second"].public_id],
        "role": [acme.membership("second").pk],
        "remove": [acme.membership("second").pk],
        "link": [acme.membership("second").pk],
    }.get(name, [])
    return reverse(f"account:{name}", args=[acme.organisation.pk, *more])


def cases(table: dict[str, tuple]) -> Iterator[tuple[str, str, int | str]]:
    for name, answers in table.items():
        for who, answer in zip(EVERYONE, answers, strict=True):
            yield name, who, answer


def check(response, expected: int | str) -> None:
    if expected == "login":
        assert response.status_code == 302
        assert response["Location"].startswith(reverse("account:login"))
    else:
        assert response.status_code == expected


def test_every_page_is_in_a_table() -> None:
    assert {
        pattern.name for pattern in urlpatterns
    } == PAGES.keys() | CHANGES.keys() | WITHOUT_ROLES


@pytest.mark.parametrize(("name", "who", "expected"), list(cases(PAGES)))
def test_pages_open_for_those_who_may(acme: Acme, name: str, who: str, expected: int | str) -> None:
    response = acme.at(who).get(address(acme, name))
    check(response, expected)
    if response.status_code == 200 and name in ("overview", "keys", "money", "members", "usage"):
        assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize(("name", "who", "expected"), list(cases(CHANGES)))
def test_changes_are_made_for_those_who_may(
    acme: Acme, name: str, who: str, expected: int | str
) -> None:
    path = address(acme, name)
    assert acme.at(who).get(path).status_code == 405
    before = snapshot()
    check(acme.at(who).post(path, {"hours": "1", "role": "billing"}), expected)
    changed = expected == 302 and name != "link"  # who has a password needs no link
    assert (snapshot() != before) is changed


def snapshot() -> list:
    members = Membership.objects.order_by("pk").values_list("user__username", "role")
    keys = ApiKey.objects.order_by("pk").values_list("public_id", "digest", "revoked_at")
    return [*members, *keys]


@pytest.mark.parametrize("who", ["owner", "member"])
def test_new_keys_and_members_are_made_by_those_who_may(acme: Acme, who: str) -> None:
    page = reverse("account:members", args=[acme.organisation.pk])
    answer = acme.at(who).post(page, {"username": "new@example.org", "role": "owner"})
    came_in = Membership.objects.filter(user__username="new@example.org").exists()
    assert (answer.status_code, came_in) == ((200, True) if who == "owner" else (403, False))


def test_a_key_of_another_organisation_is_not_there(acme: Acme) -> None:
    theirs = acme.keys["stranger"].public_id
    for name in ("revoke", "rotate"):
        path = reverse(f"account:{name}", args=[acme.organisation.pk, theirs])
        assert acme.at("owner").post(path, {"hours": "0"}).status_code == 404
    acme.keys["stranger"].refresh_from_db()
    assert acme.keys["stranger"].revoked_at is None


def test_a_member_of_another_organisation_is_not_there(acme: Acme) -> None:
    pk = Membership.objects.get(user=acme.people["stranger"]).pk
    for name in ("role", "remove", "link"):
        path = reverse(f"account:{name}", args=[acme.organisation.pk, pk])
        assert acme.at("owner").post(path, {"role": "member"}).status_code == 404
    assert Membership.objects.get(pk=pk).role == "owner"


def test_members_see_their_own_keys_and_owners_everybodys(acme: Acme) -> None:
    page = reverse("account:keys", args=[acme.organisation.pk])
    shown = {
        who: {name for name, row in acme.keys.items() if row.public_id in text(acme.at(who), page)}
        for who in ("owner", "member")
    }
    assert shown == {"owner": {"owner", "member", "second", "unheld"}, "member": {"member"}}


def text(client: Client, page: str) -> str:
    return client.get(page).content.decode()


def test_no_rights_in_the_admin_come_with_a_role(acme: Acme) -> None:
    for who in ("owner", "member", "billing"):
        answer = acme.at(who).get(reverse("admin:index"))
        assert answer.status_code == 302
        assert "/admin/login/" in answer["Location"]


def test_an_admin_without_organisation_is_led_to_the_admin(acme: Acme) -> None:
    acme.people["loner"].is_staff = True
    acme.people["loner"].save()
    assert acme.at("loner").get(reverse("account:home"))["Location"] == reverse("admin:index")


def test_somebody_switched_off_is_nobody(acme: Acme) -> None:
    client = acme.at("owner")
    acme.people["owner"].is_active = False
    acme.people["owner"].save()
    check(client.get(address(acme, "overview")), "login")


@pytest.mark.parametrize("page", ["keys", "members", "login", "password", "logout"])
def test_a_form_without_its_token_is_refused(acme: Acme, page: str) -> None:
    args = [acme.organisation.pk] if page in ("keys", "members") else []
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(acme.people["owner"])
    assert strict.post(reverse(f"account:{page}", args=args), {"name": "x"}).status_code == 403


@pytest.mark.parametrize("name", ["revoke", "rotate", "role", "remove", "link"])
def test_a_change_without_its_token_is_refused(acme: Acme, name: str) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(acme.people["owner"])
    before = snapshot()
    assert strict.post(address(acme, name), {"hours": 1, "role": "billing"}).status_code == 403
    assert snapshot() == before


@pytest.mark.parametrize("odd", [10**18 - 1, 2**63, 2**80, 0])
def test_an_odd_number_is_no_organisation(acme: Acme, odd: int) -> None:
    for page in ("", "keys/", "usage/", "money/", "members/"):
        assert acme.at("owner").get(f"/account/{odd}/{page}").status_code == 404, page
    for change in ("role", "remove", "link"):
        path = f"/account/{acme.organisation.pk}/members/{odd}/{change}/"
        assert acme.at("owner").post(path).status_code == 404, change
