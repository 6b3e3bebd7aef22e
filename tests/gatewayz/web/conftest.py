"""The people of an organisation, and of another."""

from dataclasses import dataclass, field

import pytest
from django.contrib.auth.models import User
from django.test import Client

from billing.models import Account, ApiKey
from billing.organisations.models import Membership, Organisation
from tests.billing.ledgers import account


@dataclass
class Acme:
    organisation: Organisation
    account: Account
    people: dict[str, User]
    keys: dict[str, ApiKey]
    clients: dict[str, Client] = field(default_factory=dict)

    def at(self, who: str) -> Client:
        """Return the browser of somebody who is signed in; CSRF is checked as for everyone."""
        if who not in self.clients:
            self.clients[who] = Client(enforce_csrf_checks=False)
            if who != "nobody":
                self.clients[who].force_login(self.people[who])
        return self.clients[who]

    def membership(self, who: str) -> Membership:
        return Membership.objects.get(organisation=self.organisation, user=self.people[who])


@pytest.fixture
def acme(db: None) -> Acme:
    """Acme with an owner, two members and a bookkeeper; `stranger` owns another organisation."""
    organisation = Organisation.objects.create(name="Acme")
    other = Organisation.objects.create(name="Other")
    people = {
        name: User.objects.create_user(name, password=f"{name}-has-a-password")
        for name in ("owner", "member", "second", "billing", "stranger", "loner")
    }
    roles = {"owner": "owner", "member": "member", "second": "member", "billing": "billing"}
    for name, role in roles.items():
        Membership.objects.create(organisation=organisation, user=people[name], role=role)
    Membership.objects.create(organisation=other, user=people["stranger"], role="owner")
    ours, theirs = account("Acme, research", 10**9), account("Other", 10**9)
    Account.objects.filter(pk=ours.pk).update(organisation=organisation)
    Account.objects.filter(pk=theirs.pk).update(organisation=other)
    keys = {
        name: ApiKey.issue(ours, f"{name}'s", holder=people[name])[0]
        for name in ("owner", "member", "second")
    }
    keys["stranger"] = ApiKey.issue(theirs, "stranger's", holder=people["stranger"])[0]
    keys["unheld"] = ApiKey.issue(ours, "the operator's")[0]
    return Acme(organisation, ours, people, keys)
