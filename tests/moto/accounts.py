"""The accounts that several tests scan, and their resources."""

from __future__ import annotations

from dataclasses import dataclass

from emulator import Account, Credentials, Emulator, allow
from program import ACTIONS

ALIAS = "moto-demo"

# A page has 100 resources: three pages, one full page, one short page.
BUCKETS = {"us-east-1": 230, "eu-west-1": 100, "ap-southeast-2": 1}
ROLES = 101
POLICIES = 2
TOPICS = {"us-east-1": 101, "eu-west-1": 3}


@dataclass(frozen=True)
class Scanned:
    """An account, one of its roles, and a user with the permissions of a scan."""

    account: Account
    role: str
    credentials: Credentials

    def session(self) -> Credentials:
        """Temporary credentials of the role, with the same permissions."""
        return self.account.session(self.role, allow(*ACTIONS))


def scan_user(account: Account) -> Credentials:
    return account.user(allow(*ACTIONS))


def big_account(emulator: Emulator) -> Scanned:
    """Creates an account with an alias, recorders in all regions and several pages."""
    account = emulator.open_account("111122223333")
    account.alias(ALIAS)
    role = account.roles(ROLES)[0]
    for region, number in BUCKETS.items():
        [bucket, *_] = account.buckets(region, number)
    account.recorders(role, bucket)
    for region, number in TOPICS.items():
        for _ in range(number):
            account.topic(region)
    for _ in range(POLICIES):
        account.managed_policy()
    return Scanned(account, role, scan_user(account))


def small_account(emulator: Emulator) -> Scanned:
    """Creates an account with two buckets, a role and a recorder in us-west-2 only."""
    account = emulator.open_account("444455556666")
    [bucket, _] = account.buckets("us-west-2", 2)
    role = account.role()
    account.recorder("us-west-2", role, bucket)
    return Scanned(account, role, scan_user(account))
