"""Reads a client's JSON: types are checked by name, what is not known passes untouched."""

import re

import msgspec

from providers.adapters.answers import Fields
from providers.errors import BadRequest

LONGEST_NAME = 250
PATH = re.compile(r" - at `\$\.?(?:\.\.\.)?(.*)`$")
UNKNOWN = re.compile(r"contains unknown field `([^`]*)`")
MISSING = re.compile(r"missing required field `(\w+)`")

_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def read_members(body: bytes) -> Fields:
    """Return the body's top-level members, not decoded; raises BadRequest."""
    try:
        if not body.isascii():
            body.decode()
        return _members(body)
    except msgspec.ValidationError as problem:
        raise BadRequest("The request's body must be a JSON object.") from problem
    except RecursionError as problem:
        raise BadRequest("The request's body is nested too deeply.") from problem
    except UnicodeDecodeError as problem:
        raise BadRequest(f"The request's body is not UTF-8: see byte {problem.start}.") from problem
    except msgspec.DecodeError as problem:
        what = "empty" if not body.strip() else f"not valid JSON: {problem}"
        raise BadRequest(f"The request's body is {what}.") from problem


def wrong(problem: msgspec.ValidationError) -> BadRequest:
    """Say which parameter is wrong, by its path, and how."""
    text = str(problem)
    if unknown := UNKNOWN.search(text):
        return BadRequest(f"`{unknown.group(1)}` is not known here.", param=unknown.group(1))
    found = PATH.search(text)
    param = found.group(1) if found else ""
    if missing := MISSING.search(text):
        param = f"{param}.{missing.group(1)}" if param else missing.group(1)
        return BadRequest(f"`{param}` is required.", param=param)
    return BadRequest(f"`{param}`: {PATH.sub('', text).lower()}.", param=param or None)


def check_name(name: str, param: str = "model") -> str:
    """Return a model's name that could be one; raises BadRequest."""
    if not name.strip():
        raise BadRequest(f"`{param}` must name a model.", param=param)
    if len(name) > LONGEST_NAME:
        raise BadRequest(f"`{param}` is longer than {LONGEST_NAME} characters.", param=param)
    if not name.isprintable():
        raise BadRequest(f"`{param}` holds characters that no name has.", param=param)
    return name
