"""How often a password may be tried: at the admin and at /account/, over all processes."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from gatewayz.logins import throttle
from gatewayz.logins.backend import TOO_MANY
from gatewayz.logins.models import Attempt
from tests.world.browser import Form
from tests.world.gateway import Gateway

PAGES = ("admin:login", "account:login")
RIGHT = "correct horse battery"


@pytest.fixture
def olga(db: None, django_user_model):
    return django_user_model.objects.create_user("olga", password=RIGHT, is_staff=True)


def enter(client: Client, page: str, password: str, username: str = "olga", at: str = "192.0.2.1"):
    form = {"username": username, "password": password}
    return client.post(reverse(page), form, REMOTE_ADDR=at)


def entered(response) -> bool:
    return response.status_code == 302


def refused(response) -> bool:
    return TOO_MANY in response.content.decode()


@pytest.mark.parametrize("page", PAGES)
def test_after_five_failures_the_password_is_not_looked_at(olga, page: str) -> None:
    client = Client()
    for _ in range(throttle.FROM_ONE_ADDRESS):
        answer = enter(client, page, "wrong")
        assert not entered(answer)
        assert not refused(answer)
    assert refused(enter(client, page, RIGHT))
    other = PAGES[1 - PAGES.index(page)]
    assert refused(enter(client, other, RIGHT)), "both pages count together"
    assert refused(enter(client, page, RIGHT, username=" OLGA ")), "in any spelling"


def test_elsewhere_and_for_others_nothing_is_locked(olga, django_user_model) -> None:
    django_user_model.objects.create_user("ivan", password=RIGHT)
    for _ in range(9):
        enter(Client(), "account:login", "wrong")
    assert refused(enter(Client(), "account:login", RIGHT))
    assert entered(enter(Client(), "account:login", RIGHT, at="192.0.2.99"))
    assert entered(enter(Client(), "account:login", RIGHT, username="ivan"))


def test_a_browser_that_has_signed_in_is_not_locked_out_by_others(olga) -> None:
    """Behind one proxy everybody has one address: an attacker there must not lock out all."""
    known = Client()
    assert entered(enter(known, "account:login", RIGHT))
    assert known.cookies["gatewayz_device"]["httponly"]
    known.post(reverse("account:logout"))
    for n in range(throttle.OF_ONE_ADDRESS + 1):
        enter(Client(), "account:login", "wrong", username=f"guess-{n}")
        enter(Client(), "account:login", "wrong")
    assert refused(enter(Client(), "account:login", RIGHT))
    assert refused(enter(Client(), "account:login", RIGHT, username="never-tried"))
    assert entered(enter(known, "admin:login", RIGHT))


def test_a_known_browser_has_a_bound_of_its_own(olga) -> None:
    known = Client()
    enter(known, "account:login", RIGHT)
    for _ in range(throttle.OF_A_KNOWN_BROWSER):
        assert not refused(enter(known, "account:login", "wrong"))
    assert refused(enter(known, "account:login", RIGHT))


@pytest.mark.parametrize("cookie", ["", "x", "a:b:c", "\x00", "null:1:2"])
def test_a_forged_cookie_makes_no_browser_known(olga, cookie: str) -> None:
    client = Client()
    for _ in range(throttle.FROM_ONE_ADDRESS):
        enter(client, "account:login", "wrong")
    client.cookies["gatewayz_device"] = cookie
    assert refused(enter(client, "account:login", RIGHT))


def test_another_persons_browser_is_not_known_for_me(olga, django_user_model) -> None:
    django_user_model.objects.create_user("ivan", password=RIGHT)
    ivans = Client()
    enter(ivans, "account:login", RIGHT, username="ivan")
    for _ in range(throttle.FROM_ONE_ADDRESS):
        enter(ivans, "account:login", "wrong")
    assert refused(enter(ivans, "account:login", RIGHT))


def test_many_addresses_share_a_names_bound(olga) -> None:
    for n in range(throttle.OF_ONE_NAME):
        enter(Client(), "account:login", "wrong", at=f"198.51.100.{n}")
    assert refused(enter(Client(), "account:login", RIGHT, at="203.0.113.1"))


def test_it_ends_after_a_quarter_of_an_hour_and_leaves_nothing(olga) -> None:
    for _ in range(throttle.FROM_ONE_ADDRESS):
        enter(Client(), "account:login", "wrong")
    Attempt.objects.update(at=timezone.now() - throttle.WINDOW - timedelta(seconds=1))
    assert entered(enter(Client(), "account:login", RIGHT))
    assert not Attempt.objects.exists()


def test_signing_in_takes_nothing_from_the_bound_and_names_are_not_kept(olga) -> None:
    for _ in range(2 * throttle.FROM_ONE_ADDRESS):
        assert entered(enter(Client(), "account:login", RIGHT))
    assert not Attempt.objects.exists()
    enter(Client(), "account:login", "wrong")
    kept = str(list(Attempt.objects.values_list("key", "at")))
    assert "olga" not in kept
    assert "192.0.2.1" not in kept


def test_an_odd_name_is_refused_in_words(db: None) -> None:
    for username in ("", "x" * 10_000, "a\0b", "\ud800".encode("utf-8", "replace").decode()):
        answer = enter(Client(), "account:login", "wrong", username=username)
        assert answer.status_code == 200


# Tries at once, at the served gateway.

MAKE = """
from django.contrib.auth import get_user_model
get_user_model().objects.create_user({name!r}, password={password!r})
"""


def attempt(gateway: Gateway, name: str, password: str) -> str:
    """Return "in", "wrong" or "wait"."""
    with httpx.Client(base_url=gateway.url, trust_env=False, timeout=60) as browser:
        browser.headers.update({"Accept": "text/html", "Origin": gateway.url})
        form = Form(browser.get("/account/login/").text).data
        answer = browser.post(
            "/account/login/", data=form | {"username": name, "password": password}
        )
        assert answer.status_code in (200, 302), answer.text
        if answer.status_code == 302:
            return "in"
        return "wait" if TOO_MANY in answer.text else "wrong"


def rush(gateway: Gateway) -> None:
    """Try many passwords of one person at once; AssertionError if too many are looked at."""
    name = f"user-{uuid.uuid4().hex[:8]}"
    gateway.manage("shell", "--no-imports", "-c", MAKE.format(name=name, password=RIGHT))
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: attempt(gateway, name, f"guess {n}"), range(16)))
    assert answers.count("wrong") <= throttle.FROM_ONE_ADDRESS
    assert answers.count("wait") >= 16 - throttle.FROM_ONE_ADDRESS
    while attempt(gateway, name, "wrong") != "wait":
        pass  # tries that came at once may all have been sent away
    assert attempt(gateway, name, RIGHT) == "wait"


def test_tries_at_once_are_counted_together(gateway: Gateway) -> None:
    rush(gateway)
