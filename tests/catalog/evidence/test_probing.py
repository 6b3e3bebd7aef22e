"""Probes against local upstreams: what they send, what they prove, whom they leave alone."""

import logging
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from catalog.evidence.models import Evidence, OfferHealth, ProbeBudget
from catalog.evidence.probing import wait
from catalog.evidence.recording import record
from catalog.evidence.rounds import by_hand, scheduled
from catalog.evidence.verdicts import DOWN, NOT_FOUND, OK, PROBE, SOFT, UP
from catalog.models import BlockRule, Model, Offer
from providers.models import Credential, Provider
from tests.catalog.evidence.conftest import found
from tests.upstreams import presets
from tests.upstreams.behaviour import Behaviour
from tests.upstreams.errors import Status, error
from tests.upstreams.faults import Close, Garbage, Hang, Html
from tests.upstreams.server import Upstream

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(60)]


@pytest.fixture
def near(offer: Offer, upstream: Upstream) -> Offer:
    """The offer, at a local upstream that wants a credential."""
    move(offer.provider, upstream)
    upstream.token = "sk-upstream-secret"
    Credential.objects.create(provider=offer.provider, value="sk-upstream-secret")
    Offer.objects.exclude(pk=offer.pk).delete()  # of the seeds
    return offer


def move(provider: Provider, upstream: Upstream, **more: Any) -> None:
    fields = {"base_url": upstream.url, "private_network": True, "first_byte_timeout_s": 0.3}
    for name, value in {**fields, **more}.items():
        setattr(provider, name, value)
    provider.save()


def probed(rows: Any = None) -> list[str]:
    return [finding.outcome for _, finding in by_hand(rows or Offer.objects.all())]


def test_a_chat_is_probed_with_one_token_and_its_cost_is_told(
    near: Offer, upstream: Upstream, caplog: pytest.LogCaptureFixture
) -> None:
    near.provider.rewrites.create(action="append_suffix", value=":fast")
    with caplog.at_level(logging.INFO, "catalog.evidence"):
        assert probed() == [OK]
    (seen,) = upstream.requests
    assert seen.path == "/v1/chat/completions"
    assert (seen.fields["model"], seen.fields["max_tokens"]) == ("chat-1:fast", 1)
    assert not [name for name in seen.headers if name.startswith("x-stainless")]
    assert "0.000033000 USD" in caplog.text  # 9 tokens in at 1, 12 out at 2 USD per million
    evidence = Evidence.objects.get()
    assert (evidence.source, evidence.outcome, evidence.status) == (PROBE, OK, 200)


def test_an_embedding_model_is_asked_for_an_embedding(near: Offer, upstream: Upstream) -> None:
    near.model.capabilities = ["embeddings"]
    near.model.save()
    body = {"object": "list", "data": [{"index": 0, "embedding": [0.5]}], "model": "m"}
    upstream.paths = {"/v1/embeddings": Status(200, body | {"usage": {"prompt_tokens": 1}})}
    upstream.reply(error("openai", 404))
    assert probed() == [OK]


def test_anthropics_own_format_is_spoken(near: Offer, upstream: Upstream) -> None:
    presets.anthropic(upstream)
    move(near.provider, upstream, adapter="anthropic")
    assert probed() == [OK]
    (seen,) = upstream.requests
    assert (seen.path, seen.fields["max_tokens"]) == ("/v1/messages", 1)
    assert seen.headers["x-api-key"] == "sk-upstream-secret"


def test_a_providers_headers_and_parameters_are_respected(near: Offer, upstream: Upstream) -> None:
    move(
        near.provider,
        upstream,
        auth_header="x-api-key: {key}",
        headers={"X-Team": "red"},
        drop_params=["max_tokens"],
    )
    assert probed() == [OK]
    (seen,) = upstream.requests
    assert (seen.headers["x-team"], seen.headers["x-api-key"]) == ("red", "sk-upstream-secret")
    assert "authorization" not in seen.headers
    assert seen.fields["max_completion_tokens"] == 1
    assert "max_tokens" not in seen.fields


def test_a_private_address_is_refused_unless_the_row_allows_it(
    near: Offer, upstream: Upstream
) -> None:
    move(near.provider, upstream, private_network=False)
    assert probed() == [SOFT]
    assert upstream.requests == []


@pytest.mark.parametrize(
    "behaviour",
    [
        Status(500, {"error": {"message": "boom"}}),
        error("openai", 429),
        error("openai", 401),
        Status(400, {"error": {"message": "max_tokens is too small", "param": "max_tokens"}}),
        Status(200, {"error": {"message": "boom", "code": 500}}),
        Html(404),
        Hang(),
        Close(),
        Garbage(),
    ],
    ids=str,
)
def test_nothing_else_is_a_not_found(near: Offer, upstream: Upstream, behaviour: Behaviour) -> None:
    upstream.reply(behaviour)
    upstream.unauthorized = behaviour
    assert probed() == [SOFT]
    assert OfferHealth.objects.get().state != DOWN


def test_probes_take_an_offer_out_and_bring_it_back(near: Offer, upstream: Upstream) -> None:
    upstream.reply(error("openai", 404))
    assert [probed()[0] for _ in range(3)] == [NOT_FOUND] * 3
    assert OfferHealth.objects.get().state == DOWN
    upstream.script([Status(200, {"choices": [], "usage": None})])
    assert probed() == [OK]
    assert OfferHealth.objects.get().state == UP


def skipped() -> str:
    lines: list[str] = []
    assert list(by_hand(Offer.objects.all(), lines.append)) == []
    return "\n".join(lines)


def test_the_unpriced_the_blocked_and_the_unknown_kind_are_never_probed(
    near: Offer, upstream: Upstream
) -> None:
    Offer.objects.filter(pk=near.pk).update(output_price=None)
    assert skipped() == "acme/chat-1 at acme: skipped, its price is not known"
    Offer.objects.filter(pk=near.pk).update(output_price=0)
    rule = BlockRule.objects.create(pattern="acme/*", reason="router model")
    assert skipped() == "acme/chat-1 at acme: skipped, blocked: router model"
    rule.delete()
    Model.objects.filter(pk=near.model_id).update(capabilities=["images"])
    assert skipped() == "acme/chat-1 at acme: skipped, images cannot be probed there"
    assert list(scheduled()) == []
    assert upstream.requests == []


def test_the_schedule_probes_new_offers_once_and_down_ones_again(
    near: Offer, upstream: Upstream
) -> None:
    assert [finding.outcome for _, finding in scheduled()] == [OK]
    assert list(scheduled()) == []
    OfferHealth.objects.update(next_probe_at=None)
    assert list(scheduled()) == []  # nobody uses it
    record([found(near, NOT_FOUND)] * 3)
    assert [finding.outcome for _, finding in scheduled()] == [OK]


def test_traffic_that_succeeds_needs_no_probe(near: Offer, upstream: Upstream) -> None:
    hours_ago = timezone.now() - timedelta(hours=2)
    record([found(near, OK)])
    assert list(scheduled()) == []
    OfferHealth.objects.update(last_success_at=hours_ago)
    assert len(list(scheduled())) == 1
    assert len(upstream.requests) == 1


def test_a_provider_gets_no_more_than_its_budget_a_day(near: Offer, upstream: Upstream) -> None:
    for number in range(5):
        model = Model.objects.create(model_id=f"acme/{number}")
        Offer.objects.create(
            model=model, provider=near.provider, upstream_id="x", input_price=0, output_price=0
        )
    ProbeBudget.objects.create(provider=near.provider, daily=3)
    assert len(list(scheduled())) == 3
    assert list(scheduled()) == []
    ProbeBudget.objects.update(day=timezone.now().date() - timedelta(days=1))
    assert len(list(scheduled())) == 3
    assert len(upstream.requests) == 6


def test_a_failing_offer_is_probed_ever_more_seldom(near: Offer, upstream: Upstream) -> None:
    upstream.reply(error("openai", 404))
    waits = []
    for _ in range(3):
        probed()
        health = OfferHealth.objects.get()
        waits.append((health.next_probe_at - health.probed_at).total_seconds())
    assert waits == [300, 600, 1200]
    assert wait(50) == timedelta(days=1)
    assert list(scheduled()) == []


def test_two_at_once_probe_an_offer_once(near: Offer, upstream: Upstream) -> None:
    first, second = scheduled(), scheduled()
    next(first)
    assert list(second) == []
    assert len(upstream.requests) == 1
