"""A file of thousands of models stays quick."""

import time

import pytest

from catalog.models import Offer
from tests.gatewayz.configfile.files import put

HEAD = "version: 1\nproviders:\n  t-big: {name: Big, base_url: https://big.example}\nmodels:\n"
MODEL = """\
  t/model-{n}:
    name: Model {n}
    context_length: 4096
    offers:
      - {{provider: t-big, upstream_id: model-{n}, price: {{input: "0.{n}", output: 1.5}}}}
"""


@pytest.mark.django_db
def test_three_thousand_models(django_assert_max_num_queries):
    text = HEAD + "".join(MODEL.format(n=number) for number in range(3000))
    started = time.perf_counter()
    put(text)
    applied = time.perf_counter()
    with django_assert_max_num_queries(20):
        assert put(text).lines == []
    again = time.perf_counter()
    assert Offer.objects.filter(provider__slug="t-big").count() == 3000
    assert applied - started < 20
    assert again - applied < 5
