"""The commands as an operator types them."""

import io

import pytest
from django.core.management import CommandError, call_command

from gatewayz.configfile.exporting import export
from providers.models import Provider
from tests.gatewayz.configfile.files import WORLD


@pytest.fixture
def world(tmp_path):
    path = tmp_path / "world.yaml"
    path.write_text(WORLD)
    return path


def said(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


@pytest.mark.django_db
def test_plan_then_apply_then_nothing(world):
    plan = said("apply", str(world), "--plan")
    assert plan.startswith("+ provider t-north\n")
    assert plan.endswith("nothing was changed\n")
    assert not Provider.objects.filter(slug="t-north").exists()
    applied = said("apply", str(world))
    assert applied.splitlines()[:-1] == plan.splitlines()[:-1]
    assert said("apply", str(world)) == "nothing to change\n"


@pytest.mark.django_db
def test_export_prints_or_writes(world, tmp_path):
    said("apply", str(world))
    said("export", str(tmp_path / "out.yaml"))
    assert said("export") == (tmp_path / "out.yaml").read_text() == export()


@pytest.mark.django_db
def test_standard_input_is_a_file_too(world, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(WORLD.encode())))
    said("apply", "-")
    assert Provider.objects.filter(slug="t-north").exists()


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["missing.yaml", ".", "no/such/folder", "a\0b"])
def test_a_file_that_cannot_be_read_is_one_line(name, tmp_path):
    with pytest.raises(CommandError, match="cannot be read"):
        said("apply", str(tmp_path / name))


@pytest.mark.django_db
def test_problems_end_the_command_with_all_of_them(tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text("version: 1\nplans: {x: {markup: a, colour: b}}\n")
    with pytest.raises(CommandError) as caught:
        said("apply", str(path))
    assert caught.value.returncode == 1
    assert str(caught.value).splitlines()[0] == "bad.yaml: 2 problems, nothing was changed"
    assert len(str(caught.value).splitlines()) == 3
