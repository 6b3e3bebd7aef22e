"""A flush empties the database for good, so that it is put back after these tests."""

import pytest
from django.core.management import call_command

from catalog.models import Revision, State
from providers.models import Provider
from tests.providers.test_seeds import GATEWAYS, OTHERS

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("database_put_back")]


def test_a_flushed_database_is_seeded_again() -> None:
    call_command("flush", interactive=False, verbosity=0)
    assert {*Provider.objects.values_list("slug", flat=True)} == GATEWAYS | OTHERS
    assert Revision.objects.get().number == State.objects.get().number == 1
