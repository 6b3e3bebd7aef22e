"""GET /v1/statements on the served gateway: the caller's own, as JSON, CSV and a page."""

import csv
import io

import httpx
import pytest

from tests.gatewayz.refusals import error_of
from tests.world.gateway import Gateway

ISSUE = """
from billing.models import Account
from billing.statements.issuing import issue
from tests.billing.statements.months import LAST, day, moved, used
for name in ("stated", "other"):
    row = Account.objects.get(name=name)
    moved(row, 5 * 10**9, day(2))
    used(row, 123_456_789, day(3))
    print(issue(row, LAST, "tests").number)
"""


@pytest.fixture(scope="module")
def keys(gateway: Gateway) -> dict[str, str]:
    """Keys of two accounts with a statement each, and of one without."""
    made = {name: gateway.issue_key(name, "1") for name in ("stated", "other", "fresh")}
    numbers = gateway.manage("shell", "--verbosity", "0", "-c", ISSUE).split()
    return made | dict(zip(("number", "foreign"), numbers, strict=True))


def get(gateway: Gateway, path: str, key: str, **headers: str) -> httpx.Response:
    given = {"Authorization": f"Bearer {key}", **headers}
    return httpx.get(f"{gateway.url}/v1/statements{path}", headers=given, trust_env=False)


def test_the_list_has_the_callers_own(gateway: Gateway, keys: dict[str, str]) -> None:
    body = get(gateway, "", keys["stated"]).json()
    [row] = body["data"]
    assert (body["object"], body["total"]) == ("list", 1)
    assert (row["number"], row["account"]) == (keys["number"].zfill(6), "stated")
    assert (row["opening_balance"], row["closing_balance"]) == ("0.000000000", "4.876543211")
    assert get(gateway, "", keys["fresh"]).json()["data"] == []
    assert get(gateway, "?limit=1&offset=1", keys["stated"]).json()["data"] == []


@pytest.mark.parametrize("query", ["?limit=x", "?limit=-1", "?offset=1e9", "?limit=1001"])
def test_an_odd_page_is_a_400(gateway: Gateway, keys: dict[str, str], query: str) -> None:
    error_of(get(gateway, query, keys["stated"]), 400)


def test_one_has_its_lines(gateway: Gateway, keys: dict[str, str]) -> None:
    data = get(gateway, f"/{keys['number']}", keys["stated"]).json()["data"]
    usage, top_up = data["lines"]
    assert (usage["model"], usage["requests"], usage["amount"]) == ("chat", 1, "-0.123456789")
    assert (top_up["kind"], top_up["amount"]) == ("top-up", "5.000000000")


def test_csv_comes_by_name_and_by_accept(gateway: Gateway, keys: dict[str, str]) -> None:
    named = get(gateway, f"/{keys['number']}.csv", keys["stated"])
    asked = get(gateway, f"/{keys['number']}", keys["stated"], Accept="text/csv")
    assert named.text == asked.text
    assert named.headers["content-type"] == "text/csv; charset=utf-8"
    assert "attachment" in named.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(named.text)))
    assert rows[-1]["amount_usd"] == "4.876543211"


def test_the_page_is_html(gateway: Gateway, keys: dict[str, str]) -> None:
    page = get(gateway, f"/{keys['number'].zfill(6)}.html", keys["stated"])
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert f"Statement {keys['number'].zfill(6)}" in page.text


@pytest.mark.parametrize("form", ["", ".csv", ".html"])
def test_nobody_sees_anothers(gateway: Gateway, keys: dict[str, str], form: str) -> None:
    for number in (keys["foreign"], "999999999999", "0"):
        error = error_of(get(gateway, f"/{number}{form}", keys["stated"]), 404)
        assert error["param"] == "number"
    assert error_of(get(gateway, f"/{keys['number']}{form}", "nobody"), 401)


@pytest.mark.parametrize("path", ["/x", "/1.pdf", "/-1", "/1" + "0" * 30, "/1/"])
def test_odd_paths_are_404s(gateway: Gateway, keys: dict[str, str], path: str) -> None:
    error_of(get(gateway, path, keys["stated"]), 404)
