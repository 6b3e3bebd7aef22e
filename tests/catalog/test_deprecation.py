"""What is deprecated says so: in lists, among a model's offers, and in explain."""

from dataclasses import replace

from msgspec.json import decode, encode

from catalog.asks import EVERYTHING, Ask
from catalog.explaining import explain
from catalog.listing import View
from catalog.models import Model, Offer
from catalog.offering import offering
from catalog.values import Offer as OfferValue
from catalog.values import Snapshot
from tests.catalog.crowd import crowded

NAME = "org/old-model"
ENDING = {"deprecated": True, "deprecated_at": "2027-01-01", "replaced_by": "org/new-model"}


def world(**facts: object) -> Snapshot:
    snapshot = crowded(1, NAME)
    (offer,) = snapshot.offers[NAME]
    return replace(snapshot, offers={NAME: (replace(offer, **facts),)})


def row(snapshot: Snapshot) -> dict:
    view = View(snapshot, EVERYTHING, None, 0.0)
    return decode(encode(view.entry(snapshot.models[NAME]).row()))


def test_a_list_tells_of_what_ends_and_of_nothing_else() -> None:
    ending = row(world(**ENDING))
    assert ending["deprecated"] is True
    assert ending["expiration_date"] == "2027-01-01"
    assert ending["replaced_by"] == "org/new-model"
    assert row(world()).keys().isdisjoint({"deprecated", "replaced_by"})


def test_a_models_offers_tell_of_it() -> None:
    snapshot = world(**ENDING)
    view = View(snapshot, EVERYTHING, None, 0.0)
    (offer,) = offering(view, snapshot.models[NAME]).data.endpoints
    assert (offer.deprecated, offer.expiration_date) == (True, "2027-01-01")
    assert offer.replaced_by == "org/new-model"


def test_explain_tells_of_it() -> None:
    steps = explain(world(**ENDING), Ask(NAME), 0.0)["steps"]
    (step,) = [step for step in steps if step["rule"] == "deprecation"]
    assert step["outcome"] == "deprecated, ends 2027-01-01, replaced by org/new-model"
    assert not [s for s in explain(world(), Ask(NAME), 0.0)["steps"] if s["rule"] == "deprecation"]


def test_a_date_alone_means_deprecated() -> None:
    assert OfferValue(1, "m", "s", "u", deprecated=True).notice == "deprecated"
    assert OfferValue(1, "m", "s", "u").notice == ""
    assert Offer(model=Model(model_id="m")).deprecated is False
