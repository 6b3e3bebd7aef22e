"""docs/settings.md names every variable that the settings read, and no other."""

import re

from django.conf import settings

from tests.world.gateway import ROOT

READ = re.compile(r"""env\.\w+\(\s*["']([A-Z_]+)["']""")
ROW = re.compile(r"^\| `([A-Z_]+)` \|", re.MULTILINE)
PAGE = (ROOT / "docs" / "settings.md").read_text()


def test_every_variable_is_documented() -> None:
    read = READ.findall((ROOT / "gatewayz" / "settings.py").read_text())
    assert len(read) == len(set(read)) > 10
    page = PAGE.partition("## Providers' keys")[0]
    assert sorted(ROW.findall(page)) == sorted(read)


def test_every_providers_variable_is_documented() -> None:
    seeds = (ROOT / "providers" / "seeds.json").read_text()
    named = set(re.findall(r'"([A-Z][A-Z0-9_]*_(?:KEY|TOKEN))"', seeds))
    table = PAGE.partition("## Providers' keys")[2]
    assert named
    assert set(re.findall(r"`([A-Z][A-Z0-9_]*_(?:KEY|TOKEN))`", table)) == named


def test_the_network_is_met_safely_by_default() -> None:
    assert settings.DEBUG is False
    assert settings.SESSION_COOKIE_HTTPONLY
    assert settings.SECURE_CONTENT_TYPE_NOSNIFF
    assert "django.middleware.clickjacking.XFrameOptionsMiddleware" in settings.MIDDLEWARE
    assert "django.middleware.csrf.CsrfViewMiddleware" in settings.MIDDLEWARE
