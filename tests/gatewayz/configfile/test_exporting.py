"""What comes out of the database goes back in, and means the same."""

import pytest
import yaml

from billing.models import Plan
from catalog import revisions
from catalog.models import Model
from gatewayz.configfile.exporting import export
from providers.models import Provider
from tests.gatewayz.configfile.files import WORLD, forget_everything, put

pytestmark = pytest.mark.django_db
SECRET = """
version: 1
providers:
  t-secret:
    name: S
    base_url: https://s.example
    credentials:
      - {value: sk-aaaaaaaaaaaaaaaa9876, label: team}
      - {value: sk-bbbbbbbbbbbbbbbb9876}
      - {value: short}
"""


def test_applying_an_export_changes_nothing():
    put(WORLD)
    put(SECRET)
    before = revisions.current()
    for prune in (False, True):
        outcome = put(export(), prune=prune)
        assert (outcome.lines, outcome.notes, outcome.revision) == ([], [], before)


def test_an_export_makes_the_same_database_from_an_empty_one():
    put(WORLD)
    text = export()
    forget_everything()
    Plan.objects.filter(name="t-gold").delete()
    assert "t-north" not in export()
    put(text)
    assert export() == text


def test_an_export_restores_what_was_edited_since():
    put(WORLD)
    text = export()
    Provider.objects.filter(slug="t-south").update(priority=3, site_url="https://x.example")
    Model.objects.filter(model_id="t/other").update(hidden=True)
    assert len(put(text).lines) == 3
    assert export() == text


def test_an_export_has_no_secret_and_says_which_are_missing_elsewhere():
    put(SECRET)
    text = export()
    assert "sk-" not in text
    assert "short" not in text
    assert "{stored: true, last4: '9876', label: team}" in text
    Provider.objects.get(slug="t-secret").delete()
    outcome = put(text)
    assert len(outcome.notes) == 3
    assert "the stored credential team is not here" in outcome.notes[0]
    assert Provider.objects.get(slug="t-secret").credentials.count() == 0


def test_an_export_is_what_any_yaml_reader_takes_it_for():
    put(WORLD)
    read = yaml.safe_load(export())
    assert list(read) == [
        "version",
        "providers",
        "models",
        "aliases",
        "variants",
        "blocks",
        "plans",
    ]
    assert list(read["models"]) == sorted(read["models"])
    offers = read["models"]["t/Chat-1"]["offers"]
    assert [row["provider"] for row in offers] == ["t-north", "t-south"]
    assert offers[1]["price"] == {"input": "0.1", "output": "2", "cached_input": "0"}
    assert read["providers"]["t-north"]["timeouts"]["connect"] == 0.5
