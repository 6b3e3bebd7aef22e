"""What every refusal has in common."""

import re
from typing import Any

import httpx

MEMBERS = {"message", "type", "param", "code", "request_id", "metadata"}
REQUEST_ID = re.compile(r"gen-[0-9a-f]{32}")


def error_of(answer: httpx.Response, status: int) -> dict[str, Any]:
    """Return the error of an answer in the contract's shape; AssertionError for anything else."""
    assert answer.status_code == status, answer.text[:500]
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert set(body) == {"error"}
    error: dict[str, Any] = body["error"]
    assert set(error) == MEMBERS
    assert isinstance(error["message"], str)
    assert error["message"]
    assert "x" * 300 not in error["message"]  # what the client sent is cut
    assert error["type"]
    assert error["code"]
    assert REQUEST_ID.fullmatch(error["request_id"])
    assert answer.headers["x-request-id"] == error["request_id"]
    return error
