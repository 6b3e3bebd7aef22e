"""Statements for people and programs: CSV with every digit, a page that prints well, JSON."""

import csv
import io
from collections.abc import Iterator
from typing import Any

from django.template.loader import render_to_string

from billing import money
from billing.statements.models import USAGE, Statement, StatementLine

HEADER = (
    "statement",
    "account",
    "month",
    "kind",
    "date",
    "description",
    "model",
    "provider",
    "requests",
    "prompt_tokens",
    "completion_tokens",
    "amount_usd",
)
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # how a spreadsheet's formulas begin


def as_csv(statement: Statement) -> str:
    """Return a line per line, between what was owned before and after. Amounts are exact."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(HEADER)
    writer.writerows(csv_rows(statement))
    return text.getvalue()


def csv_rows(statement: Statement) -> Iterator[list[str]]:
    start = [statement.shown_number, harmless(statement.account_name), f"{statement.month:%Y-%m}"]
    nothing = [""] * 7
    yield [*start, "opening balance", *nothing, money.plain(statement.opening_nano)]
    for line in statement.lines.all():
        counts = (line.requests, line.prompt_tokens, line.completion_tokens)
        yield [
            *start,
            line.kind,
            f"{line.at:%Y-%m-%d}" if line.at else "",
            harmless(line.text),
            harmless(line.model_id),
            line.provider,
            *(str(count) if line.kind == USAGE else "" for count in counts),
            money.plain(line.amount_nano),
        ]
    yield [*start, "closing balance", *nothing, money.plain(statement.closing_nano)]


def harmless(text: str) -> str:
    """Return text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(FORMULA) else text


def as_page(statement: Statement) -> str:
    """Return an HTML document of its own, made to be printed."""
    lines = list(statement.lines.all())
    used = [line for line in lines if line.kind == USAGE]
    moved = [line for line in lines if line.kind != USAGE]
    shown = {
        "statement": statement,
        "opening": amount(statement.opening_nano),
        "closing": amount(statement.closing_nano),
        "used": [(line, amount(line.amount_nano)) for line in used],
        "used_total": amount(sum(line.amount_nano for line in used)),
        "moved": [(line, amount(line.amount_nano)) for line in moved],
        "moved_total": amount(sum(line.amount_nano for line in moved)),
    }
    return render_to_string("statements/statement.html", shown)


def amount(nano: int) -> dict[str, str]:
    """Return an amount to the cent, and with every digit where the cents are not all of it."""
    exact = nano % money.NANO_PER_CENT == 0
    return {"cents": in_cents(nano), "exact": "" if exact else money.written(nano)}


def in_cents(nano: int) -> str:
    """Write dollars rounded to the cent, half away from zero."""
    cents = (abs(nano) + money.NANO_PER_CENT // 2) // money.NANO_PER_CENT
    sign = "−" if nano < 0 and cents else ""
    return f"{sign}{cents // 100:,}.{cents % 100:02}"


def facts(statement: Statement) -> dict[str, Any]:
    """Return what a list of statements tells of one."""
    return {
        "number": statement.shown_number,
        "month": f"{statement.month:%Y-%m}",
        "account": statement.account_name,
        "opening_balance": money.plain(statement.opening_nano),
        "closing_balance": money.plain(statement.closing_nano),
        "issued_at": statement.issued_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
    }


def all_facts(statement: Statement) -> dict[str, Any]:
    return {**facts(statement), "lines": [line_facts(line) for line in statement.lines.all()]}


def line_facts(line: StatementLine) -> dict[str, Any]:
    told: dict[str, Any] = {"kind": line.kind, "amount": money.plain(line.amount_nano)}
    if line.kind != USAGE:
        at = line.at.isoformat(timespec="seconds").replace("+00:00", "Z") if line.at else None
        return {**told, "at": at, "description": line.text}
    return {
        **told,
        "model": line.model_id or None,
        "provider": line.provider or None,
        "requests": line.requests,
        "prompt_tokens": line.prompt_tokens,
        "completion_tokens": line.completion_tokens,
    }
