"""After each of these the last good catalogue serves, nothing is half applied, the run says why."""

import re
import time
from collections.abc import Callable
from typing import Any

import pytest

from catalog.loading import load
from catalog.models import Offer, Revision
from catalog.syncs.claims import Overlap
from catalog.syncs.models import SyncRun
from catalog.syncs.running import sync
from providers.fetching import Limits
from providers.models import Provider
from tests.catalog.syncs.conftest import listed_ids, synced
from tests.upstreams.listings import Asked, Lists, Page, Stock

pytestmark = pytest.mark.django_db


def third_page(answer: Callable[[Asked, Page], Page]) -> Callable[[Asked], Page]:
    """Return Featherless with 2,500 models, whose third page is `answer`'s."""
    stock = Stock("featherless", count=2500)

    def shelf(asked: Asked) -> Page:
        page = stock(asked)
        return answer(asked, page) if asked.query.get("page") == "3" else page

    return shelf


HTML = Page(b"<!doctype html><title>Just a moment</title>", 200, {"content-type": "text/html"})
ELSEWHERE = {"Link": '<http://evil.example/api/models?cursor=x>; rel="next"'}


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda asked, page: Page(b"oops", 500), "page 3 of .*/models: it answered 500, 3 times"),
        (lambda asked, page: HTML, "page 3 of .*: the answer is HTML"),
        (lambda asked, page: Page(b'{"error": "no"}', 401), "page 3 .*401: the credential"),
        (lambda asked, page: Page(page.body[:-20]), "page 3 of .*: not a list"),
        (
            lambda asked, page: Page(status=302, headers={"Location": "http://evil.example/x"}),
            "page 3 of .*redirects to another host: evil.example",
        ),
    ],
)
def test_a_bad_third_page_leaves_everything_as_it_was(
    listing, lists: Lists, answer, said: str
) -> None:
    good = Stock("featherless", count=40)
    provider = listing(good)
    synced(provider)
    before, revisions = load(), Revision.objects.count()
    lists.shelves["/featherless/models"] = third_page(answer)
    run = synced(provider)
    assert run.state == "failed"
    assert re.search(said, run.message), run.message
    assert run.pages == 2
    assert (load().offers, Revision.objects.count()) == (before.offers, revisions)
    assert not hasattr(run, "changeset")


def test_a_cursor_on_another_host_is_not_followed(listing, lists: Lists) -> None:
    stock = Stock("huggingface", count=5)
    provider = listing(stock, lambda asked: Page(stock(asked).body, headers=ELSEWHERE))
    run = synced(provider)
    assert (run.state, Offer.objects.filter(provider=provider).count()) == ("failed", 0)
    assert "on another host: evil.example" in run.message


def test_a_page_that_repeats_ends_the_list_and_what_it_lacks_is_held_back(listing, lists) -> None:
    stock = Stock("portkey", count=300)

    def same_page(asked: Asked) -> Page:
        return Page(stock.envelope(stock.rows[:100], total=300))

    provider = listing(stock, same_page)
    run = synced(provider)
    assert (run.state, run.pages, run.unique, run.duplicates) == ("quarantined", 2, 100, 100)
    assert "page 2 repeats what came before, 100 of 300 models were there" in run.message
    assert len(lists.asked) == 2


def test_half_the_models_gone_is_held_back(listing) -> None:
    stock = Stock("openrouter", count=20)
    provider = listing(stock)
    synced(provider)
    before = load().offers
    stock.rows = stock.rows[:10]
    run = synced(provider)
    assert run.state == "quarantined"
    assert run.message == "10 of 20 models are gone, 50 %; max_drop_percent is 50"
    assert run.changeset.changes.count() == 10
    assert load().offers == before
    assert not Offer.objects.filter(missing_runs__gt=0).exists()


def test_an_empty_list_is_held_back(listing) -> None:
    stock = Stock("openrouter", count=20)
    provider = listing(stock)
    synced(provider)
    stock.rows = []
    assert "the list is empty" in synced(provider).message
    assert len(listed_ids(provider)) == 20


def test_a_price_a_million_times_as_high_is_held_back(listing) -> None:
    stock = Stock("openrouter", count=4)
    provider = listing(stock)
    synced(provider)
    stock.rows[0]["pricing"] = {"prompt": "0.0009", "completion": "0.0009"}
    run = synced(provider)
    assert run.state == "quarantined"
    assert "max_price_factor, 10: org-0/openrouter-0 from" in run.message


def test_fewer_than_min_models_is_held_back(listing) -> None:
    run = synced(listing(Stock("openrouter", count=4), guards={"min_models": 5}))
    assert run.message == "4 models are listed, fewer than min_models, 5"


def test_bad_rows_are_reported_by_id_and_reason_and_good_ones_land(listing) -> None:
    stock = Stock("openrouter", count=6)
    stock.rows[1] = {"name": "nameless"}
    stock.rows[2]["pricing"] = {"prompt": "7", "completion": "7"}
    stock.rows[3]["context_length"] = "a lot"
    run = synced(listing(stock))
    assert (run.state, run.added, run.refused_count) == ("applied", 5, len(run.refused))
    told = {(row["id"], row["reason"].partition(":")[0]) for row in run.refused}
    assert ("", "row 2") in told
    assert {stock.rows[2]["id"], stock.rows[3]["id"]} <= {id for id, _ in told}
    dear = Offer.objects.get(upstream_id=stock.rows[2]["id"])
    assert dear.listed_input_price is None


def test_two_syncs_at_once_are_one(listing) -> None:
    provider = listing(Stock("groq"))
    first = SyncRun.objects.claim(provider)
    with pytest.raises(Overlap):
        synced(provider)
    first.end("cancelled")
    assert synced(provider).state == "applied"


def test_a_run_whose_process_is_gone_is_marked_failed_by_the_next(listing) -> None:
    provider = listing(Stock("groq"))
    died = SyncRun.objects.claim(provider)
    SyncRun.objects.filter(pk=died.pk).update(pid=2**22 + 1)  # beyond any process's number
    assert synced(provider).state == "applied"
    died.refresh_from_db()
    assert (died.state, died.finished_at is not None) == ("failed", True)
    assert "without a word" in died.message


def test_a_cancelled_run_stops_between_pages(listing) -> None:
    provider = listing(Stock("featherless", count=2500))

    def cancel(report: Any, reading: Any) -> None:
        if report.pages == 1:
            SyncRun.objects.update(cancel_asked=True)

    run = synced(provider, told=cancel)
    assert (run.state, run.pages) == ("cancelled", 1)
    assert not Offer.objects.filter(provider=provider).exists()


def test_a_busy_provider_is_asked_again_after_what_it_says(listing, lists: Lists) -> None:
    stock = Stock("portkey", count=500)
    stock.busy_every = 2
    assert synced(listing(stock)).state == "applied"
    assert len(lists.asked) == 9


def test_a_provider_that_asks_for_an_hour_is_left_alone(listing) -> None:
    shelf = lambda asked: Page(b"{}", 429, {"Retry-After": "3600"})  # noqa: E731
    run = synced(listing("groq", shelf))
    assert "it asks us to wait 3600 s, longer than we do" in run.message


def test_a_slow_provider_lands_and_a_silent_one_fails(listing) -> None:
    stock = Stock("groq", count=5)
    slow = listing("groq", lambda asked: Page(stock.envelope(stock.rows), drip_s=0.05))
    patient = Limits(silence_s=0.5, page_s=30, tries=1)
    assert sync(Provider.objects.get(pk=slow.pk), limits=patient).state == "applied"
    short = Limits(silence_s=0.5, page_s=0.2, tries=1)
    run = sync(Provider.objects.get(pk=slow.pk), limits=short)
    assert "a page took more than 0 s" in run.message

    def silent(asked: Asked) -> Page:
        time.sleep(1)
        return Page()

    listing("groq", silent)
    run = sync(Provider.objects.get(pk=slow.pk), limits=patient)
    assert (run.state, "silent for too long" in run.message) == ("failed", True)
    assert len(listed_ids(slow)) == 5


def test_a_page_beyond_the_bound_is_not_read_to_its_end(listing) -> None:
    provider = listing(Stock("openrouter"))
    run = sync(Provider.objects.get(pk=provider.pk), limits=Limits(page_bytes=1000))
    assert "a page of more than 1,000 bytes" in run.message


def test_a_private_address_needs_the_providers_leave(listing) -> None:
    run = synced(listing(Stock("groq"), private_network=False))
    assert (run.state, "is not public" in run.message) == ("failed", True)


def test_nobody_there_is_a_failure(listing, lists: Lists) -> None:
    provider = listing(Stock("groq"))
    provider.listing[0]["url"] = "http://127.0.0.1:9/v1/models"
    provider.save()
    assert synced(provider).state == "failed"
