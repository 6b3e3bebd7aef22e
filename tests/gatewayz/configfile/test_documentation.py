"""docs/config-file.md knows every key, and its example is one that applies."""

import re

import pytest
from django.conf import settings

from gatewayz.configfile import schema
from providers.models import Provider
from tests.gatewayz.configfile.files import ACME, put

PAGE = (settings.BASE_DIR / "docs" / "config-file.md").read_text()
EXAMPLE = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL).group(1)


def test_every_key_is_documented():
    names = {*schema.SECTIONS} | {name for kind in schema.KINDS for name in kind.lists}
    names |= {key.path.rpartition(".")[2] for kind in schema.KINDS for key in kind.keys}
    shorthands = {"alias", "target"}
    assert [name for name in sorted(names - shorthands) if f"{name}:" not in PAGE] == []


@pytest.mark.django_db
def test_the_documented_example_applies():
    put(ACME)
    put(EXAMPLE)
    assert Provider.objects.get(slug="huggingface").rewrites.count() == 2
    assert put(EXAMPLE).lines == []
