"""How a process follows the configuration: what it reads, when it reads again, what it keeps."""

import gc
import sys

import pytest
from django.db import connection, models

from billing.access.keys import digests
from billing.access.keytable import KeyTable
from billing.access.lookup import find_key
from billing.models import Account, ApiKey, Plan
from catalog import loading, revisions
from catalog.live import Live
from catalog.loading import Unsteady, load
from catalog.models import Model, ModelAlias, Offer, Revision, State
from providers.models import Provider

EDITS = 10_000
AT_ONCE = 10
WARM = 1_500

pytestmark = pytest.mark.django_db


class Editor:
    """Changes rows of every part, some revisions at a time, written as cheaply as can be."""

    def __init__(self) -> None:
        account = Account.objects.create(name="many", plan=Plan.objects.get(name="default"))
        one = Model.objects.create(model_id="m/one")
        groq = Provider.objects.get(slug="groq")
        Offer.objects.create(model=one, provider=groq, upstream_id="one")
        key, self.token = ApiKey.issue(account)
        rows = Provider.objects.filter(slug="groq")
        offers = Offer.objects.filter(provider__slug="groq")
        keys = ApiKey.objects.filter(account=account)
        self.kinds = [
            ({"aliases"}, self.realias),
            ({"provider:groq"}, lambda n: rows.record(base_url=f"https://{n}.example")),
            ({"offers:groq"}, lambda n: offers.record(upstream_id=f"one-{n}")),
            ({"model:m/one"}, lambda n: Model.objects.filter(pk=one.pk).record(name=f"name {n}")),
            ({f"key:{key.public_id}"}, lambda n: keys.record(name=f"key {n}")),
        ]

    def realias(self, number: int) -> None:
        ModelAlias.objects.filter(alias__startswith="alias-")._raw_delete("default")
        models.QuerySet(ModelAlias).bulk_create([ModelAlias(alias=f"alias-{number}", target="m")])

    def __call__(self, turn: int) -> None:
        parts, write = self.kinds[turn % len(self.kinds)]
        write(turn)
        number = State.objects.get().number
        rows = [
            Revision(number=number + step, parts=sorted(parts), summary="edit")
            for step in range(1, AT_ONCE + 1)
        ]
        Revision.objects.bulk_create(rows)
        State.objects.update(number=number + AT_ONCE)


def blocks() -> int:
    gc.collect()
    return sys.getallocatedblocks()


@pytest.mark.timeout(120)
def test_ten_thousand_edits_leave_no_growth_in_memory() -> None:
    editor = Editor()
    keys = KeyTable(find_key)
    live = Live(keys.forget)
    live.refresh()
    began, sizes = live.snapshot.revision, []
    for done in range(0, EDITS, AT_ONCE):
        editor(done // AT_ONCE)
        live.refresh()
        keys.read(digests(editor.token))
        keys.read((f"unknown {done}",))
        if done in (WARM, EDITS - AT_ONCE):
            sizes.append(blocks())
    assert live.snapshot.revision == began + EDITS
    assert live.snapshot == load()
    refreshes = (EDITS - WARM) / AT_ONCE
    assert sizes[1] - sizes[0] < refreshes / 2, f"blocks of memory: {sizes}"


def edit(alias: str = "latest", target: str = "echo") -> None:
    ModelAlias.objects.update_or_create(alias=alias, defaults={"target": target})


def test_only_what_changed_is_read_again(django_assert_num_queries) -> None:
    old = load()
    with django_assert_num_queries(1):
        assert load(old) is old
    edit()
    with django_assert_num_queries(4):
        new = load(old)
    assert new.aliases["latest"] == "echo"
    assert new.offers is old.offers
    assert new.endpoints is old.endpoints


class Meddling:
    """Stands in for the moment after the number was read: each of the first looks meets an edit."""

    def __init__(self, times: int) -> None:
        self.left = times
        self.busy = False

    def __call__(self, execute, sql, params, many, context):
        result = execute(sql, params, many, context)
        if self.left and not self.busy and 'FROM "catalog_modelalias"' in sql:
            self.left -= 1
            self.busy = True
            edit(f"meddled-{self.left}", "echo")
            self.busy = False
        return result


def test_an_edit_during_the_reading_is_in_the_snapshot() -> None:
    with connection.execute_wrapper(meddling := Meddling(2)):
        snapshot = load()
    assert meddling.left == 0
    assert snapshot.revision == revisions.current()
    assert snapshot == load()
    assert {"meddled-0", "meddled-1"} <= set(snapshot.aliases)


def test_a_configuration_that_never_stands_still_is_not_served() -> None:
    old = load()
    edit()
    with connection.execute_wrapper(Meddling(1000)), pytest.raises(Unsteady):
        load(old)
    assert loading.TRIES < 1000


def test_several_revisions_are_taken_over_at_once() -> None:
    old = load()
    edit("one")
    Provider.objects.filter(slug="groq").update(priority=7)
    Provider.objects.get(slug="novita").delete()
    Provider.objects.create(slug="acme", name="Acme", base_url="https://acme.example/v1")
    new = load(old)
    assert new == load()
    assert new.endpoints["groq"].priority == 7
    assert "novita" not in new.endpoints
    assert new.names["acme"] == "acme"


def test_a_record_that_does_not_reach_back_makes_all_be_read() -> None:
    old = load()
    for name in ("one", "two", "three"):
        edit(name)
    Revision.objects.filter(number__lte=old.revision + 1).delete()
    assert revisions.since(old.revision) is None
    assert load(old) == load()


def test_an_older_database_put_in_place_is_read_afresh() -> None:
    told = []
    live = Live(lambda revision, parts: told.append((revision, parts)))
    live.refresh()
    number = live.snapshot.revision
    edit("lost")
    live.refresh()
    ModelAlias.objects.filter(alias="lost")._raw_delete("default")
    Revision.objects.filter(number__gt=number).delete()
    State.objects.update(number=number)
    live.refresh()
    assert told[-1] == (number, None)
    assert "lost" not in live.snapshot.aliases
    assert live.snapshot == load()


def test_a_keys_own_change_reaches_the_table() -> None:
    account = Account.objects.create(name="Acme", plan=Plan.objects.get(name="default"))
    row, token = ApiKey.issue(account)
    keys = KeyTable(find_key)
    live = Live(keys.forget)
    live.refresh()
    wanted = digests(token)
    assert keys.read(wanted) is not None
    edit()
    live.refresh()
    assert keys.seen(wanted)[0], "an edit of something else forgets no key"
    ApiKey.objects.filter(pk=row.pk).revoke()
    live.refresh()
    assert not keys.seen(wanted)[0]
    assert keys.read(wanted).revoked
