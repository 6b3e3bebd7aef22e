"""Rules, channels, incidents, and what was sent of them."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator, validate_email
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from catalog.alerts.kinds import KINDS, Kind
from providers.encryption import EncryptedTextField, Sealed
from providers.models import strings

FIRING, RESOLVED = "firing", "resolved"
EMAIL, SLACK, WEBHOOK = "email", "slack", "webhook"
WAITING, SENDING, SENT, FAILED = "waiting", "sending", "sent", "failed"
STALE = timedelta(minutes=5)  # a sending longer than any goes on: its process is gone


def choices(words: Iterable[str]) -> list[tuple[str, str]]:
    return [(word, word) for word in words]


def emails(value: object) -> None:
    """Accept a list of e-mail addresses."""
    strings(value)
    for item in value:  # type: ignore[attr-defined]
        try:
            validate_email(item)
        except ValidationError as problem:
            raise ValidationError(f"{item} is no e-mail address.") from problem


class AlertRuleQuerySet(models.QuerySet):
    def of(self, kind: str) -> "AlertRule":
        """Return the rule, made as it begins where there is none. KeyError: no such kind."""
        begin = KINDS[kind]
        defaults = {
            name: getattr(begin, name)
            for name in ("threshold", "window_minutes", "least", "cooldown_minutes")
        }
        return self.get_or_create(kind=kind, defaults=defaults)[0]


class AlertRule(models.Model):
    """When something of one kind is an alert, and how often it is told."""

    objects = AlertRuleQuerySet.as_manager()

    kind = models.CharField(max_length=40, unique=True, editable=False)
    enabled = models.BooleanField(default=True, help_text="Off: nothing of this kind is looked at.")
    threshold = models.FloatField(
        default=1, validators=[MinValueValidator(0)], help_text="See what it means for this kind."
    )
    window_minutes = models.PositiveIntegerField(
        default=0, help_text="How far back to look, in minutes."
    )
    least = models.PositiveIntegerField(default=0, help_text="With fewer, nothing is concluded.")
    cooldown_minutes = models.PositiveIntegerField(
        default=60, help_text="What comes back within so many minutes is not told again before."
    )

    class Meta:
        ordering = ["kind"]

    def __str__(self) -> str:
        return self.begin.title

    @property
    def begin(self) -> Kind:
        return KINDS.get(self.kind) or Kind(self.kind, self.kind, "")

    @property
    def window(self) -> timedelta:
        return timedelta(minutes=self.window_minutes)


class Channel(models.Model):
    """Where alerts are told."""

    name = models.CharField(max_length=100, unique=True, help_text="<code>On call</code>")
    shape = models.CharField(
        max_length=10,
        choices=[(EMAIL, "e-mail"), (SLACK, "webhook, Slack's shape"), (WEBHOOK, "webhook, JSON")],
    )
    enabled = models.BooleanField(default=True)
    rules = models.ManyToManyField(
        AlertRule, blank=True, help_text="Only these kinds are told here; none chosen: all."
    )
    addresses = models.JSONField(
        default=list,
        blank=True,
        validators=[emails],
        help_text='For e-mail: <code>["oncall@example.org"]</code>.',
    )
    url = EncryptedTextField("address", blank=True, help_text="For a webhook; never shown again.")
    shown = models.CharField(max_length=150, blank=True, editable=False)
    private_network = models.BooleanField(
        default=False,
        help_text="Allow loopback and private addresses. Only for servers of your own.",
    )

    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if self.shape == EMAIL and not self.addresses:
            raise ValidationError({"addresses": "An e-mail needs an address."})
        if self.shape != EMAIL and not self.url:
            raise ValidationError({"url": "A webhook needs an address."})
        if self.url and not isinstance(self.url, Sealed):
            check_address(self.url)

    def save(self, *args: Any, **options: Any) -> None:
        if not isinstance(self.url, Sealed):
            self.shown = masked(self.url) if self.url else ""
        super().save(*args, **options)

    def target(self) -> str:
        """Return the webhook's address; raises Undecryptable."""
        return self.url.open() if isinstance(self.url, Sealed) else self.url


def check_address(url: str) -> None:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.username or parts.fragment:
        raise ValidationError({"url": "Enter an address such as https://hooks.example.com/…"})


def masked(url: str) -> str:
    """Return where it leads, without what makes it a secret."""
    parts = urlsplit(url)
    end = url[-4:] if len(url) >= 40 else ""
    return f"{parts.scheme}://{parts.netloc}/…{end}"[:150]


class Alert(models.Model):
    """One incident, from its first sight to its end.

    tell_at: when it is to be told next, None when all is told; told_at: when its firing was.
    """

    kind = models.CharField(max_length=40)
    subject = models.CharField(max_length=320)
    state = models.CharField(max_length=10, choices=choices((FIRING, RESOLVED)), default=FIRING)
    text = models.TextField()
    details = models.JSONField(default=dict)
    count = models.PositiveIntegerField(default=1, help_text="How often it was seen.")
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)
    ending = models.CharField(max_length=300, blank=True)
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.CharField(max_length=150, blank=True)
    tell_at = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-last_seen_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject"], condition=Q(state=FIRING), name="one_incident_at_a_time"
            )
        ]
        indexes = [
            models.Index(fields=["state", "-last_seen_at"], name="alerts_by_state"),
            models.Index(fields=["kind", "subject", "told_at"], name="alerts_told"),
            models.Index(
                fields=["tell_at"], condition=Q(tell_at__isnull=False), name="alerts_to_tell"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title}: {self.subject}"

    @property
    def title(self) -> str:
        return KINDS[self.kind].title if self.kind in KINDS else self.kind


class DeliveryQuerySet(models.QuerySet):
    def due(self) -> "DeliveryQuerySet":
        """What waits for its time or was left by a process that is gone."""
        now = timezone.now()
        return self.filter(
            Q(state=WAITING, next_at__lte=now) | Q(state=SENDING, claimed_at__lt=now - STALE)
        )

    def claim(self, pk: int) -> "Delivery | None":
        """Take one that is due, so that nobody else sends it; None if there is nothing to take."""
        values = {"state": SENDING, "attempts": F("attempts") + 1, "claimed_at": timezone.now()}
        if not self.due().filter(pk=pk).update(**values):
            return None
        return self.select_related("channel").get(pk=pk)


class Delivery(models.Model):
    """One message to one channel. It may tell of many alerts."""

    objects = DeliveryQuerySet.as_manager()

    channel = models.ForeignKey(Channel, models.CASCADE, related_name="deliveries")
    alerts = models.ManyToManyField(Alert, related_name="deliveries")
    message = models.JSONField(default=dict)
    title = models.CharField(max_length=300)
    state = models.CharField(
        max_length=10, choices=choices((WAITING, SENDING, SENT, FAILED)), default=WAITING
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(default=timezone.now)
    claimed_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    problem = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name_plural = "deliveries"
        indexes = [
            models.Index(
                fields=["next_at"],
                condition=Q(state__in=(WAITING, SENDING)),
                name="deliveries_to_send",
            )
        ]

    def __str__(self) -> str:
        return self.title

    def ended(self, **values: Any) -> bool:
        """Write how this attempt ended, unless another one has begun since."""
        mine = Delivery.objects.filter(pk=self.pk, state=SENDING, attempts=self.attempts)
        return bool(mine.update(**values))
