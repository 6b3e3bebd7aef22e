"""What is told, in words and in each channel's shape. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from catalog.alerts.kinds import KINDS

MOST_TOLD = 20  # alerts that a message names; the others are counted
MOST_TITLE, MOST_LINE = 200, 500
SLACK_SECTION = 2900
PER_SECTION = 5
Message = Mapping[str, Any]


def message(alerts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return one message for all of `alerts`, each {kind, subject, state, text, …}."""
    counts = Counter((alert["kind"], alert["state"]) for alert in alerts)
    told = sorted(alerts, key=lambda alert: alert["state"] != "firing")[:MOST_TOLD]
    return {
        "title": title(alerts),
        "alerts": told,
        "more": len(alerts) - len(told),
        "counts": [{"kind": k, "state": s, "count": n} for (k, s), n in sorted(counts.items())],
    }


def title(alerts: Sequence[Mapping[str, Any]]) -> str:
    if len(alerts) == 1:
        (only,) = alerts
        return f"{said(only['state'])}: {name(only['kind'])}, {only['subject']}"[:MOST_TITLE]
    states = Counter(alert["state"] for alert in alerts)
    numbers = [f"{count:,} {state}" for state, count in sorted(states.items())]
    kinds = Counter(alert["kind"] for alert in alerts)
    named = ", ".join(f"{name(kind)} ({count:,})" for kind, count in kinds.most_common(3))
    return f"Alerts: {' and '.join(numbers)}. {named}"[:MOST_TITLE]


def trial_message() -> dict[str, Any]:
    text = "This is a test. Alerts of the kinds chosen for this channel arrive like this."
    return {"title": "Test message from Gatewayz", "alerts": [], "more": 0, "text": text}


def name(kind: str) -> str:
    return KINDS[kind].title if kind in KINDS else kind


def said(state: str) -> str:
    return "Resolved" if state == "resolved" else "Firing"


def lines(told: Message) -> list[str]:
    found = [told["text"]] if "text" in told else []
    for alert in told["alerts"]:
        end = f" Resolved: {alert['ending']}." if alert.get("ending") else ""
        line = f"{said(alert['state'])}: {name(alert['kind'])}, {alert['subject']}. {alert['text']}"
        found.append(line[:MOST_LINE] + end)
    if told["more"]:
        found.append(f"… and {told['more']:,} more; the admin's page of alerts has them all.")
    return found


def mail(told: Message) -> tuple[str, str]:
    """Return subject and body of an e-mail."""
    subject = " ".join(f"[Gatewayz] {told['title']}".split())
    return subject, "\n\n".join([told["title"], *lines(told)]) + "\n"


def slack(told: Message) -> dict[str, Any]:
    """Return Slack's shape: a title, and sections of a few alerts each."""
    rows = [escaped(line) for line in lines(told)]
    groups = [rows[at : at + PER_SECTION] for at in range(0, len(rows), PER_SECTION)]
    header = {"type": "plain_text", "text": told["title"][:150]}
    sections = ["\n".join(f"• {row}" for row in group)[:SLACK_SECTION] for group in groups]
    return {
        "text": escaped(told["title"]),
        "blocks": [
            {"type": "header", "text": header},
            *({"type": "section", "text": {"type": "mrkdwn", "text": text}} for text in sections),
        ],
    }


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def generic(told: Message, delivery: int, attempt: int) -> dict[str, Any]:
    """Return our own shape, all of the message; `delivery` stays the same when it is sent again."""
    return {"source": "gatewayz", "delivery": delivery, "attempt": attempt, **told}
