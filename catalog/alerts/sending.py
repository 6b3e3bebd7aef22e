"""Sends one message: by SMTP, or to a webhook. Later and Refused say what went wrong."""

import json
import smtplib
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, get_connection

from catalog.alerts import digest
from catalog.alerts.models import EMAIL, SLACK, Channel, Delivery
from providers.encryption import Undecryptable
from providers.posting import PostFailed, post

AGENT = "gatewayz (alerts)"
NO_EMAIL = "no e-mail is set up here: EMAIL_URL is not set"


class Refused(RuntimeError):
    """It will not work like this; in words for an admin, without the address."""


class Later(RuntimeError):
    """It may work later. wait_s: what the receiver asks for, if it does."""

    def __init__(self, said: str, wait_s: float | None = None) -> None:
        super().__init__(said)
        self.wait_s = wait_s


def send(delivery: Delivery) -> None:
    """Send it once; raises Refused or Later."""
    channel = delivery.channel
    if not channel.enabled:
        raise Refused("the channel is off")
    if channel.shape == EMAIL:
        send_mail(delivery)
    elif channel.shape == SLACK:
        send_json(channel, delivery, digest.slack(delivery.message))
    else:
        body = digest.generic(delivery.message, delivery.pk, delivery.attempts)
        send_json(channel, delivery, body)


def send_mail(delivery: Delivery) -> None:
    if not settings.EMAIL_CONFIGURED:
        raise Refused(NO_EMAIL)
    subject, body = digest.mail(delivery.message)
    sender = settings.DEFAULT_FROM_EMAIL
    at = sender.rpartition("@")[2].rstrip(">")
    name = f"<gatewayz-{delivery.created_at:%Y%m%d%H%M%S}-{delivery.pk}@{at}>"
    mail = EmailMessage(
        subject,
        body,
        sender,
        delivery.channel.addresses,
        headers={"Message-ID": name, "Auto-Submitted": "auto-generated"},
        connection=get_connection(),
    )
    try:
        mail.send()
    except smtplib.SMTPResponseException as problem:
        said = text_of(problem.smtp_error)
        kind = Refused if 500 <= problem.smtp_code < 600 else Later
        raise kind(f"the mail server said {problem.smtp_code} {said}") from problem
    except smtplib.SMTPRecipientsRefused as problem:
        raise Refused("the mail server refused every address") from problem
    except (OSError, smtplib.SMTPException) as problem:
        raise Later(f"the mail server: {str(problem)[:200] or type(problem).__name__}") from problem


def text_of(said: bytes | str) -> str:
    return (said.decode(errors="replace") if isinstance(said, bytes) else said)[:200]


def send_json(channel: Channel, delivery: Delivery, body: dict[str, Any]) -> None:
    """Post it. The key is the same on every attempt, so that a receiver can tell repetitions."""
    headers = {
        "content-type": "application/json",
        "user-agent": AGENT,
        "idempotency-key": f"gatewayz-{delivery.created_at:%Y%m%d%H%M%S}-{delivery.pk}",
    }
    try:
        post(channel.target(), json.dumps(body).encode(), headers, channel.private_network)
    except Undecryptable as problem:
        raise Refused("no encryption key opens its address") from problem
    except PostFailed as problem:
        if problem.may_pass:
            raise Later(str(problem), problem.wait_s) from problem
        raise Refused(str(problem)) from problem
