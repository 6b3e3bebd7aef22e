"""What is known of offers by experience: evidence, counts, health; and what may be spent on it."""

from collections.abc import Collection, Iterable
from datetime import date, datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from catalog.evidence import verdicts
from catalog.evidence.tallies import Tally
from catalog.models import BlockRule, Offer
from catalog.turns import ROWS, politely
from catalog.values import Experience
from providers.models import Provider

STATES = (verdicts.UNKNOWN, verdicts.UP, verdicts.DOWN)
SOURCES = (verdicts.TRAFFIC, verdicts.PROBE, verdicts.LIST)
OUTCOMES = (verdicts.OK, verdicts.NOT_FOUND, verdicts.SOFT)
DETAIL = 300


def choices(words: Iterable[str]) -> list[tuple[str, str]]:
    return [(word, word.replace("_", " ")) for word in words]


class Evidence(models.Model):
    """A dated proof that an offer works or not. Kept bounded: see retention."""

    offer = models.ForeignKey(Offer, models.CASCADE, related_name="evidence", db_index=False)
    at = models.DateTimeField(db_index=True)
    source = models.CharField(max_length=10, choices=choices(SOURCES))
    outcome = models.CharField(
        max_length=10, choices=choices(OUTCOMES), help_text="soft: a failure that proves nothing."
    )
    status = models.PositiveSmallIntegerField(null=True, help_text="The provider's HTTP status.")
    detail = models.CharField(max_length=DETAIL, blank=True)
    latency_ms = models.PositiveIntegerField(null=True)
    first_byte_ms = models.PositiveIntegerField(null=True)
    tokens_per_second = models.FloatField(null=True)

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name_plural = "evidence"
        indexes = [models.Index(fields=["offer", "-at"], name="evidence_by_offer")]

    def __str__(self) -> str:
        return f"{self.source}: {self.outcome}"


class OfferHealthQuerySet(models.QuerySet):
    def locked(self, offer_ids: Collection[int]) -> list["OfferHealth"]:
        """Return these offers' rows, made where there was none, locked for the transaction."""
        rows = self.select_for_update().filter(pk__in=offer_ids).order_by("pk")
        found = list(rows)
        missing = sorted(set(offer_ids).difference(row.pk for row in found))
        if not missing:
            return found
        self.bulk_create([OfferHealth(offer_id=pk) for pk in missing], ignore_conflicts=True)
        return list(rows.all())

    def told(self, slugs: Collection[str]) -> dict[str, dict[int, Experience]]:
        """Return what is known of offers, by their providers' slugs and by their keys.

        Only offers that somebody has called.
        """
        found: dict[str, dict[int, Experience]] = {slug: {} for slug in slugs}
        rows = self.filter(offer__provider__slug__in=slugs)
        columns = rows.values_list(
            "offer__provider__slug",
            "offer_id",
            "state",
            "down_since",
            "uptime",
            "offer__latency_ms",
            "offer__throughput_tps",
        )
        for slug, pk, state, since, *measures in politely(columns.iterator(chunk_size=ROWS)):
            found[slug][pk] = Experience(verdicts.reason_of(state, since), *measures)
        return found


class OfferHealth(models.Model):
    """What is held of one offer. Absent: nobody has called it yet.

    windows: what 5 minutes, 1 hour and 1 day show (tallies.Window); success_rate: of 1 hour;
    uptime: of 1 day, as it was last announced.
    """

    objects = OfferHealthQuerySet.as_manager()

    offer = models.OneToOneField(Offer, models.CASCADE, related_name="health", primary_key=True)
    state = models.CharField(max_length=10, choices=choices(STATES), default=verdicts.UNKNOWN)
    hard_failures = models.PositiveIntegerField(default=0, help_text="Not found, in a row.")
    last_success_at = models.DateTimeField(null=True)
    last_failure_at = models.DateTimeField(null=True)
    last_traffic_at = models.DateTimeField(null=True, db_index=True)
    down_since = models.DateTimeField(null=True)
    kept_at = models.DateTimeField(null=True, help_text="When a success was last kept.")
    windows = models.JSONField(default=dict)
    success_rate = models.FloatField(null=True)
    uptime = models.FloatField(null=True)

    probed_at = models.DateTimeField(null=True)
    next_probe_at = models.DateTimeField(null=True)
    probe_failures = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["state"], name="health_by_state")]

    def __str__(self) -> str:
        return self.state

    def standing(self) -> verdicts.Standing:
        return verdicts.Standing(
            self.state,
            self.hard_failures,
            self.last_success_at,
            self.last_failure_at,
            self.down_since,
        )

    def take(self, standing: verdicts.Standing) -> None:
        self.state = standing.state
        self.hard_failures = standing.hard_failures
        self.last_success_at = standing.last_success_at
        self.last_failure_at = standing.last_failure_at
        self.down_since = standing.down_since


class Counted(models.Model):
    """A Tally of one offer over a span of time that begins at `at`."""

    offer = models.ForeignKey(Offer, models.CASCADE, related_name="+", db_index=False)
    at = models.DateTimeField(db_index=True)
    ok = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    faultless = models.PositiveIntegerField(default=0)
    latency = models.JSONField(default=dict)
    first_byte = models.JSONField(default=dict)
    tokens = models.PositiveBigIntegerField(default=0)
    token_ms = models.PositiveBigIntegerField(default=0)

    COLUMNS = ("ok", "failed", "faultless", "latency", "first_byte", "tokens", "token_ms")

    class Meta:
        abstract = True

    def tally(self) -> Tally:
        return Tally(*(getattr(self, name) for name in self.COLUMNS))

    @classmethod
    def add(cls, fresh: dict[tuple[int, datetime], Tally]) -> None:
        """Add to the rows of these offers and times; nothing is lost to who adds meanwhile."""
        rows = cls.locked(fresh)
        missing = sorted(fresh.keys() - rows.keys())
        if missing:
            empty = [cls(offer_id=offer, at=at) for offer, at in missing]
            cls.objects.bulk_create(empty, ignore_conflicts=True)
            rows = cls.locked(fresh)
        cls.objects.bulk_create(
            [rows[key].plus(fresh[key]) for key in sorted(rows.keys() & fresh.keys())],
            update_conflicts=True,
            unique_fields=["offer", "at"],
            update_fields=cls.COLUMNS,
        )

    @classmethod
    def locked(cls, keys: Collection[tuple[int, datetime]]) -> dict[tuple[int, datetime], Self]:
        """Return the rows there are, each locked until the transaction ends."""
        offers, times = {offer for offer, _ in keys}, {at for _, at in keys}
        rows = cls.objects.select_for_update().filter(offer__in=offers, at__in=times)
        return {(row.offer_id, row.at): row for row in rows.order_by("offer_id", "at")}

    def plus(self, tally: Tally) -> Self:
        """Return a new row, not yet saved, that counts `tally` too."""
        total = self.tally()
        total.add(tally)
        columns = {name: getattr(total, name) for name in self.COLUMNS}
        return type(self)(offer_id=self.offer_id, at=self.at, **columns)


class OfferMinute(Counted):
    class Meta:
        constraints = [models.UniqueConstraint(fields=["offer", "at"], name="one_row_per_minute")]


class OfferHour(Counted):
    class Meta:
        constraints = [models.UniqueConstraint(fields=["offer", "at"], name="one_row_per_hour")]


class ProbeBudgetQuerySet(models.QuerySet):
    def of(self, provider_id: int) -> "ProbeBudget":
        return self.get_or_create(provider_id=provider_id)[0]

    def left(self, provider_id: int, today: date) -> int:
        """Return how many of today's probes a provider has left."""
        row = self.of(provider_id)
        return row.daily - (row.used if row.day == today else 0)

    def take(self, provider_id: int, today: date) -> bool:
        """Take one of today's probes at a provider; False if none is left."""
        self.of(provider_id)
        row = self.filter(provider_id=provider_id)
        row.filter(Q(day=None) | ~Q(day=today)).update(day=today, used=0)
        return bool(row.filter(used__lt=F("daily")).update(used=F("used") + 1))


def probes_per_day() -> int:
    return int(settings.PROBES_PER_DAY)


class ProbeBudget(models.Model):
    """How many probes a day a provider may get by itself; those asked for by hand are not limited.

    Made with the default of the settings when a provider is first probed.
    """

    objects = ProbeBudgetQuerySet.as_manager()

    provider = models.OneToOneField(
        Provider, models.CASCADE, related_name="probe_budget", primary_key=True
    )
    daily = models.PositiveIntegerField(
        default=probes_per_day, help_text="Most probes a day: <code>20</code>. 0: none."
    )
    day = models.DateField(null=True, editable=False)
    used = models.PositiveIntegerField(default=0, editable=False, help_text="On that day.")

    class Meta:
        ordering = ["provider"]

    def __str__(self) -> str:
        return f"{self.provider}: {self.daily} a day"


class BlockHits(models.Model):
    """How often a block rule kept an offer out of a request."""

    rule = models.OneToOneField(BlockRule, models.CASCADE, related_name="counted", primary_key=True)
    hits = models.PositiveBigIntegerField(default=0)
    last_hit_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.hits} hits"
