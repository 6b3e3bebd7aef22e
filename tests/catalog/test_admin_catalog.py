from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from catalog.models import BlockRule, Model, ModelAlias, Offer, Revision
from providers.models import Provider
from tests.forms import errors, save

pytestmark = pytest.mark.django_db


def slug_id(slug: str) -> str:
    return str(Provider.objects.get(slug=slug).pk)


def change(row: object) -> str:
    options = row._meta
    return reverse(f"admin:{options.app_label}_{options.model_name}_change", args=[row.pk])


@pytest.fixture
def llama(db) -> Model:
    return Model.objects.create(model_id="meta-llama/Llama-3.3-70B-Instruct")


def test_a_model_and_its_offers_are_saved_as_one_revision(admin_client: Client) -> None:
    before = Revision.objects.count()
    answer = save(
        admin_client,
        reverse("admin:catalog_model_add"),
        model_id="acme/chat-1",
        offers__TOTAL_FORMS="1",
        offers__0__provider=slug_id("groq"),
        offers__0__upstream_id="chat-1",
        offers__0__input_price="0.50",
        offers__0__enabled="on",
    )
    assert errors(answer) == ""
    assert Offer.objects.get(upstream_id="chat-1").value_of().price.input == 500_000
    revision = Revision.objects.first()
    assert (revision.author, revision.parts) == ("admin", ["model:acme/chat-1", "offers:groq"])
    assert revision.summary == "added model acme/chat-1"
    assert revision.number == before + 1


def test_two_new_offers_at_one_provider_are_refused(admin_client: Client, llama: Model) -> None:
    twice = {
        f"offers__{n}__{field}": value
        for n in (0, 1)
        for field, value in {"provider": slug_id("groq"), "upstream_id": "x"}.items()
    }
    answer = save(admin_client, change(llama), offers__TOTAL_FORMS="2", **twice)
    assert "provider" in errors(answer).lower()
    assert not llama.offers.exists()


def test_an_offer_that_is_there_already_is_refused(admin_client: Client, llama: Model) -> None:
    Offer.objects.create(model=llama, provider_id=slug_id("groq"), upstream_id="x")
    answer = save(
        admin_client,
        reverse("admin:catalog_offer_add"),
        model=str(llama.pk),
        provider=slug_id("groq"),
        upstream_id="y",
    )
    assert "This provider offers this model already." in errors(answer)


def test_an_alias_may_not_be_a_models_id_nor_the_other_way_round(
    admin_client: Client, llama: Model
) -> None:
    add_alias, add_model = (
        reverse("admin:catalog_modelalias_add"),
        reverse("admin:catalog_model_add"),
    )
    answer = save(admin_client, add_alias, alias=llama.model_id, target="x")
    assert f"{llama.model_id} is the id of a model already." in errors(answer)
    ModelAlias.objects.create(alias="llama", target=llama.model_id)
    answer = save(admin_client, add_model, model_id="llama")
    assert f"llama is an alias of {llama.model_id} already." in errors(answer)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('["chatting"]', "chatting is no capability; there are chat,"),
        ("chat", "This is not JSON: line 1, column 1"),
    ],
)
def test_capabilities_are_checked(
    admin_client: Client, llama: Model, text: str, sentence: str
) -> None:
    assert sentence in errors(save(admin_client, change(llama), capabilities=text))


def test_measurements_cannot_be_typed(admin_client: Client, llama: Model) -> None:
    offer = Offer.objects.create(model=llama, provider_id=slug_id("groq"), upstream_id="x")
    assert errors(save(admin_client, change(offer), latency_ms="5")) == ""
    assert Offer.objects.get(pk=offer.pk).latency_ms is None


def blocks(client: Client, state: str) -> list[str]:
    response = client.get(reverse("admin:catalog_blockrule_changelist"), {"in_force": state})
    return [row.pattern for row in response.context["cl"].result_list]


def test_a_block_rule_names_its_author_and_is_found_by_state(admin_client: Client) -> None:
    add = reverse("admin:catalog_blockrule_add")
    answer = save(admin_client, add, pattern="katanemo/*", reason="router model, not chat")
    assert errors(answer) == ""
    assert BlockRule.objects.get().author == "admin"
    BlockRule.objects.create(
        pattern="old/*", reason="was broken", expires_at=timezone.now() - timedelta(days=1)
    )
    BlockRule.objects.create(pattern="off/*", reason="not now", enabled=False)
    assert blocks(admin_client, "active") == ["katanemo/*"]
    assert blocks(admin_client, "expired") == ["old/*"]
    assert blocks(admin_client, "off") == ["off/*"]


def test_a_pattern_is_blocked_once_per_place(admin_client: Client) -> None:
    add = reverse("admin:catalog_blockrule_add")
    save(admin_client, add, pattern="katanemo/*", reason="router model")
    answer = save(admin_client, add, pattern="katanemo/*", reason="again")
    assert "This pattern is blocked everywhere already." in errors(answer)


def test_revisions_are_found_by_part_and_cannot_be_changed(admin_client: Client) -> None:
    Provider.objects.get(slug="groq").save()
    url = reverse("admin:catalog_revision_changelist")
    found = admin_client.get(url, {"q": "changed provider groq"}).context["cl"].result_list
    assert [row.parts for row in found] == [["provider:groq"]]
    assert admin_client.post(change(found[0]), {"summary": "x"}).status_code == 403
