"""One model's edit reads that model, and nothing stays behind of one that is gone."""

import pytest

from catalog import revisions
from catalog.loading import load
from catalog.models import Model, Offer, Revision
from catalog.values import Snapshot
from providers.models import Provider

pytestmark = pytest.mark.django_db


@pytest.fixture
def old() -> Snapshot:
    """What is served before the edit: two models at two providers."""
    for name in ("acme/one", "acme/two"):
        model = Model.objects.create(model_id=name)
        for slug in ("groq", "cerebras"):
            provider = Provider.objects.get(slug=slug)
            Offer.objects.create(model=model, provider=provider, upstream_id=name)
    return load()


def same(one: Snapshot, other: Snapshot) -> bool:
    parts = ("models", "offers", "folded", "aliases", "endpoints")
    return all(getattr(one, part) == getattr(other, part) for part in parts)


def test_a_new_name_reads_one_model_and_no_offer(old: Snapshot, django_assert_num_queries) -> None:
    row = Model.objects.get(model_id="acme/one")
    row.name = "Number One"
    row.save()
    assert Revision.objects.first().parts == ["model:acme/one"]
    with django_assert_num_queries(4):  # the number, the parts, the model, the number again
        new = load(old)
    assert new.models["acme/one"].name == "Number One"
    assert new.models["acme/two"] is old.models["acme/two"]
    assert new.offers == old.offers
    assert same(new, load())


def test_a_renamed_model_takes_its_offers_along(old: Snapshot) -> None:
    row = Model.objects.get(model_id="acme/one")
    row.model_id = "acme/three"
    row.save()
    new = load(old)
    assert "acme/one" not in new.models
    assert "acme/one" not in new.offers
    assert [offer.slug for offer in new.offers["acme/three"]] == ["cerebras", "groq"]
    assert same(new, load())


@pytest.mark.parametrize("in_bulk", [False, True])
def test_a_deleted_model_takes_its_offers_away(old: Snapshot, in_bulk: bool) -> None:
    rows = Model.objects.filter(model_id="acme/two")
    rows.delete() if in_bulk else rows.get().delete()
    new = load(old)
    assert "acme/two" not in new.models
    assert "acme/two" not in new.offers
    assert same(new, load())


def test_very_many_models_are_announced_as_all(old: Snapshot) -> None:
    many = [f"many/{n}" for n in range(revisions.MOST_MODELS)]
    Model.objects.bulk_create(Model(model_id=name) for name in many)
    assert len(Revision.objects.first().parts) == revisions.MOST_MODELS
    assert same(load(old), load())
    Model.objects.filter(model_id="acme/one").delete()
    Model.objects.filter(model_id__startswith="m").update(name="Many")
    Model.objects.create(model_id="one/more")
    Model.objects.exclude(model_id__startswith="acme/").update(hidden=True)
    assert Revision.objects.first().parts == ["models"]
    assert same(load(old), load())
