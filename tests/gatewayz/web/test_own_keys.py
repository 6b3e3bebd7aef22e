"""Members make, rotate and revoke keys of their own; a secret is shown once."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from billing.access import keys
from billing.access.lookup import find_key
from billing.models import ApiKey
from catalog.models import Revision
from gatewayz.web import keys as pages
from tests.gatewayz.web.conftest import Acme

TOKEN = re.compile(r"gwz_(?:live|test)_[a-z0-9]+_[A-Za-z0-9]{43}")


def page(acme: Acme) -> str:
    return reverse("account:keys", args=[acme.organisation.pk])


def make(acme: Acme, who: str = "member", **fields: str):
    form = {"name": "laptop", "account": acme.account.pk} | fields
    return acme.at(who).post(page(acme), form)


def test_a_members_new_key_is_theirs_and_shown_once(acme: Acme) -> None:
    answer = make(acme, allowed_models="openai/*\nmeta/*", allowed_ips="10.0.0.0/8")
    [token] = set(TOKEN.findall(answer.content.decode()))
    assert "no-store" in answer["Cache-Control"]
    key, _ = find_key(keys.digests(token))
    assert key is not None
    row = ApiKey.objects.get(public_id=key.public_id)
    assert (row.holder, row.account, row.name) == (acme.people["member"], acme.account, "laptop")
    assert row.allowed_models == ["openai/*", "meta/*"]
    assert row.allowed_ips == ["10.0.0.0/8"]
    assert not row.is_management
    assert Revision.objects.first().author == "member"
    for address in (page(acme), reverse("account:overview", args=[acme.organisation.pk])):
        assert token not in acme.at("member").get(address).content.decode()
    assert token not in str(acme.at("member").cookies)
    assert token not in str(dict(acme.at("member").session))


def test_only_an_owner_makes_a_management_key(acme: Acme) -> None:
    make(acme, "member", is_management="on")
    make(acme, "owner", is_management="on", is_test="on")
    made = ApiKey.objects.filter(name="laptop").values_list("holder__username", "is_management")
    assert dict(made) == {"member": False, "owner": True}


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"name": ""}, "This field is required"),
        ({"name": "x" * 101}, "at most 100 characters"),
        ({"name": "a\0"}, "Null characters are not allowed"),
        ({"account": "999"}, "not one of the available choices"),
        ({"account": "x"}, "not one of the available choices"),
        ({"expires_at": "soon"}, "Enter a valid date/time"),
        ({"expires_at": "2001-01-01T00:00"}, "That moment has passed"),
        ({"allowed_ips": "everywhere"}, "does not appear to be an IPv4 or IPv6 network"),
        ({"allowed_models": "x" * 251}, "at most 250 characters"),
    ],
)
def test_a_form_that_makes_no_sense_makes_no_key(
    acme: Acme, fields: dict[str, str], complaint: str
) -> None:
    before = ApiKey.objects.count()
    answer = make(acme, **fields)
    assert answer.status_code == 200
    assert complaint in answer.content.decode()
    assert ApiKey.objects.count() == before


def test_another_organisations_account_cannot_be_chosen(acme: Acme) -> None:
    theirs = acme.keys["stranger"].account
    answer = make(acme, account=str(theirs.pk))
    assert "not one of the available choices" in answer.content.decode()
    assert theirs.keys.count() == 1


def test_rotating_shows_the_new_secret_and_keeps_the_old_for_a_while(acme: Acme) -> None:
    row, first = ApiKey.issue(acme.account, "mine", holder=acme.people["member"])
    path = reverse("account:rotate", args=[acme.organisation.pk, row.public_id])
    answer = acme.at("member").post(path, {"hours": "24"})
    [second] = set(TOKEN.findall(answer.content.decode()))
    assert second != first
    row.refresh_from_db()
    until = row.old_valid_until
    assert abs(until - timezone.now() - timedelta(days=1)) < timedelta(minutes=1)
    for token in (first, second):
        assert find_key(keys.digests(token))[0] is not None
    acme.at("member").post(path, {"hours": "0"})
    for token in (first, second):
        assert find_key(keys.digests(token))[0] is None


@pytest.mark.parametrize("hours", ["", "5", "-1", "x"])
def test_a_grace_that_is_not_offered_changes_nothing(acme: Acme, hours: str) -> None:
    row = acme.keys["member"]
    path = reverse("account:rotate", args=[acme.organisation.pk, row.public_id])
    assert acme.at("member").post(path, {"hours": hours}).status_code == 302
    assert ApiKey.objects.get(pk=row.pk).digest == row.digest


def test_revoking_twice_keeps_the_first_moment(acme: Acme) -> None:
    row = acme.keys["member"]
    path = reverse("account:revoke", args=[acme.organisation.pk, row.public_id])
    moments = []
    for _ in range(2):
        assert acme.at("member").post(path).status_code == 302
        row.refresh_from_db()
        moments.append(row.revoked_at)
    assert moments[0] is not None
    assert moments[0] == moments[1]
    assert "revoked" in acme.at("member").get(page(acme)).content.decode()


def test_nobody_makes_keys_without_end(acme: Acme) -> None:
    held = [
        ApiKey(account=acme.account, holder=acme.people["member"], public_id=f"k{n}", digest=f"{n}")
        for n in range(pages.MOST_KEYS)
    ]
    ApiKey.objects.bulk_create(held)
    answer = make(acme)
    assert "revoke some first" in answer.content.decode()
    assert not ApiKey.objects.filter(name="laptop").exists()


def test_a_name_with_markup_is_shown_as_text(acme: Acme) -> None:
    make(acme, name="<script>alert(1)</script>")
    text = acme.at("owner").get(page(acme)).content.decode()
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)" in text


def test_the_pages_cost_few_queries(acme: Acme, django_assert_max_num_queries) -> None:
    for n in range(30):
        ApiKey.issue(acme.account, f"key {n}", holder=acme.people["second"])
    client: Client = acme.at("owner")
    for name in ("overview", "keys", "usage", "money", "members"):
        with django_assert_max_num_queries(30):
            client.get(reverse(f"account:{name}", args=[acme.organisation.pk]))
