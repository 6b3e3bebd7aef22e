"""How people come into an organisation and leave it."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from billing.models import ApiKey
from billing.organisations.models import Membership
from tests.gatewayz.web.conftest import Acme

LINK = re.compile(r"http://testserver(/account/set/[^\"]+)")


def add(acme: Acme, username: str, role: str = "member", who: str = "owner"):
    page = reverse("account:members", args=[acme.organisation.pk])
    return acme.at(who).post(page, {"username": username, "role": role})


def link_of(response) -> str:
    found = LINK.search(response.content.decode())
    return found.group(1) if found else ""


def choose(link: str, password: str):
    """Open the link as a browser does: it leads to a page without the token in its address."""
    client = Client()
    shown = client.get(link, follow=True)
    if not shown.redirect_chain:
        return shown
    fields = {"new_password1": password, "new_password2": password}
    return client.post(shown.redirect_chain[-1][0], fields)


def test_somebody_new_chooses_a_password_with_a_link_that_works_once(acme: Acme) -> None:
    link = link_of(add(acme, "new@example.org", "billing"))
    user = User.objects.get(username="new@example.org")
    assert not user.has_usable_password()
    assert not user.is_staff
    assert user.memberships.get().role == "billing"
    assert choose(link, "correct horse battery").status_code == 302
    again = choose(link, "another horse battery")
    assert b"This link was used" in again.content
    assert Client().login(username="new@example.org", password="correct horse battery")
    assert link not in acme.at("owner").get(add_page(acme)).content.decode()


def add_page(acme: Acme) -> str:
    return reverse("account:members", args=[acme.organisation.pk])


@pytest.mark.parametrize("password", ["short", "password", ""])
def test_a_weak_password_is_not_taken(acme: Acme, password: str) -> None:
    link = link_of(add(acme, "new@example.org"))
    assert choose(link, password).status_code == 200
    assert not User.objects.get(username="new@example.org").has_usable_password()


def test_an_old_link_is_refused(acme: Acme, settings) -> None:
    link = link_of(add(acme, "new@example.org"))
    settings.PASSWORD_RESET_TIMEOUT = -1
    assert b"This link was used, or is too old" in choose(link, "correct horse battery").content


def test_somebody_who_is_there_comes_in_without_a_link(acme: Acme) -> None:
    answer = add(acme, "LONER", "owner")
    assert acme.membership("loner").role == "owner"
    assert link_of(answer) == ""
    assert "is a member already" in add(acme, "loner").content.decode()
    assert Membership.objects.filter(user=acme.people["loner"]).count() == 1


@pytest.mark.parametrize("who", ["staff", "elsewhere", "with a password"])
def test_nobody_gets_a_link_to_anothers_password(acme: Acme, who: str) -> None:
    """Such a link would open the admin, or another organisation."""
    user = User(username="victim", is_staff=who == "staff")
    user.set_unusable_password()
    if who == "with a password":
        user.set_password("the victim's own")
    user.save()
    if who == "elsewhere":
        other = acme.people["stranger"].memberships.get().organisation
        Membership.objects.create(organisation=other, user=user)
    assert link_of(add(acme, "victim")) == ""
    member = Membership.objects.get(organisation=acme.organisation, user=user)
    path = reverse("account:link", args=[acme.organisation.pk, member.pk])
    answer = acme.at("owner").post(path, follow=True)
    assert link_of(answer) == ""
    assert "They have a password, or belong elsewhere" in answer.content.decode()


def test_who_has_not_chosen_yet_can_get_another_link(acme: Acme) -> None:
    add(acme, "new@example.org")
    member = Membership.objects.get(user__username="new@example.org")
    path = reverse("account:link", args=[acme.organisation.pk, member.pk])
    link = link_of(acme.at("owner").post(path))
    assert choose(link, "correct horse battery").status_code == 302
    assert link_of(acme.at("owner").post(path)) == ""


@pytest.mark.parametrize(
    ("username", "role"),
    [
        ("", "member"),
        ("x" * 151, "member"),
        ("a b", "member"),
        ("new", "admin"),
        ("new\0", "member"),
    ],
)
def test_an_invitation_that_makes_no_sense_adds_nobody(
    acme: Acme, username: str, role: str
) -> None:
    before = User.objects.count()
    answer = add(acme, username, role)
    assert answer.status_code == 200
    assert 'class="complaint"' in answer.content.decode()
    assert User.objects.count() == before


def test_who_is_removed_loses_access_and_keys(acme: Acme) -> None:
    member = acme.membership("member")
    path = reverse("account:remove", args=[acme.organisation.pk, member.pk])
    answer = acme.at("owner").post(path, follow=True)
    assert "1 keys were revoked" in answer.content.decode()
    revoked = ApiKey.objects.exclude(revoked_at=None).values_list("name", flat=True)
    assert list(revoked) == ["member's"]
    overview = reverse("account:overview", args=[acme.organisation.pk])
    assert acme.at("member").get(overview).status_code == 404


@pytest.mark.parametrize("name", ["role", "remove"])
def test_the_last_owner_stays(acme: Acme, name: str) -> None:
    path = reverse(f"account:{name}", args=[acme.organisation.pk, acme.membership("owner").pk])
    answer = acme.at("owner").post(path, {"role": "member"}, follow=True)
    assert "keeps one owner at least" in answer.content.decode()
    assert acme.membership("owner").role == "owner"
    acme.membership("second").change_role("owner")
    acme.at("owner").post(path, {"role": "member"})
    left = Membership.objects.filter(organisation=acme.organisation, role="owner")
    assert [row.user.username for row in left] == ["second"]


def test_an_admin_adds_a_member_from_the_organisations_page(
    acme: Acme, admin_client: Client
) -> None:
    page = reverse("admin:organisations_organisation_change", args=[acme.organisation.pk])
    assert b"Acme, research" in admin_client.get(page).content
    path = reverse("admin:organisations_organisation_add_member", args=[acme.organisation.pk])
    form = {"username": "new@example.org", "role": "owner", "_form_submitted": "1"}
    assert admin_client.post(path, form)["HX-Redirect"] == page
    text = admin_client.get(page).content.decode()
    link = re.search(r"http://testserver(/account/set/[^<]+)", text)
    assert link is not None
    assert choose(link.group(1), "correct horse battery").status_code == 302
    assert link.group(1) not in admin_client.get(page).content.decode()
