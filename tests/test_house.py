"""The house keeps its shape: small rooms, one arrow, one place that reads the environment."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("providers", "catalog", "billing", "gatewayz")
LONGEST_VIEW_MODULE = 150
LONGEST_VIEW_FUNCTION = 30
LONGEST_FUNCTION = 50
LONGEST_MODULE = 400


def modules(*rooms: str) -> Iterator[Path]:
    for room in rooms:
        for path in sorted((ROOT / room).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path


def functions(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{path.relative_to(ROOT)}:{node.name}", (node.end_lineno or 0) - node.lineno + 1


def lines(path: Path) -> int:
    return path.read_text().count("\n")


def test_views_are_paragraphs() -> None:
    views = list(modules("gatewayz/api"))
    assert views
    long = [
        name for path in views for name, size in functions(path) if size > LONGEST_VIEW_FUNCTION
    ]
    assert not long
    assert not [str(path) for path in views if lines(path) > LONGEST_VIEW_MODULE]


def test_rooms_are_small() -> None:
    everything = list(modules(*ROOMS))
    assert not [str(path) for path in everything if lines(path) > LONGEST_MODULE]
    sizes = [pair for path in everything for pair in functions(path)]
    assert not [name for name, size in sizes if size > LONGEST_FUNCTION]


def test_the_api_touches_no_row() -> None:
    for path in modules("gatewayz/api"):
        imports = re.findall(r"^(?:from|import) (\S+)", path.read_text(), re.MULTILINE)
        assert not [name for name in imports if name.endswith(".models") and "gatewayz" not in name]
        assert "objects." not in path.read_text(), path


@pytest.mark.parametrize("path", list(modules(*ROOMS)), ids=lambda path: path.name)
def test_only_the_settings_read_the_environment(path: Path) -> None:
    if path.relative_to(ROOT).as_posix() == "gatewayz/settings.py":
        return
    used = re.findall(r"os\.(?:environ\b(?!\.setdefault)|getenv)", path.read_text())
    assert not used


def test_no_model_name_is_in_the_code() -> None:
    """A rule is a row: names of models and providers' suffixes live in the database and seeds."""
    names = re.compile(r"hf-inference|llama-3|gpt-4|claude-\d|gemini-\d|mixtral", re.IGNORECASE)
    for path in modules("providers", "catalog", "billing", "gatewayz/api"):
        code = ast.parse(path.read_text())
        helps = {
            id(node.value)
            for node in ast.walk(code)
            if isinstance(node, ast.keyword) and node.arg == "help_text"
        }
        for node in ast.walk(code):
            if isinstance(node, ast.Call):
                found = [
                    a.value
                    for a in node.args
                    if isinstance(a, ast.Constant)
                    and isinstance(a.value, str)
                    and id(a) not in helps
                ]
                assert not [text for text in found if names.search(text)], path


def test_documents_point_at_what_exists() -> None:
    for page in [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *sorted((ROOT / "docs").glob("*.md")),
    ]:
        for target in re.findall(r"\]\((?!http)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} points at {target}"


def test_tests_that_commit_put_the_database_back() -> None:
    """Else the rows of migrations are missing for whatever the same process runs after them."""
    files = [path for path in (ROOT / "tests").rglob("test_*.py") if path != Path(__file__)]
    flushing = [
        path for path in files if re.search(r"transaction=True|transactional_db", path.read_text())
    ]
    assert flushing
    assert not [str(path) for path in flushing if "database_put_back" not in path.read_text()]
