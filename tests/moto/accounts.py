"""The accounts that several tests scan, and what is in them."""

from __future__ import annotations

from dataclasses import dataclass

from emulator import Account, Emulator, Keys, allow
from program import ACTIONS

ALIAS = "moto-demo"

# Pages have 100 resources: three pages, one page that is just full, one that is not.
BUCKETS = {"us-east-1": 230, "eu-west-1": 100, "ap-southeast-2": 1}
ROLES = 101
POLICIES = 2
TOPICS = {"us-east-1": 101, "eu-west-1": 3}


@dataclass(frozen=True)
class Scanned:
    """An account, one of its roles, and a user who may do what the program needs."""

    account: Account
    role: str
    keys: Keys

    def session(self) -> Keys:
        """Temporary keys of the role, which may do the same."""
        return self.account.session(self.role, allow(*ACTIONS))


def user_of(account: Account) -> Keys:
    return account.user(allow(*ACTIONS))


def big_account(emulator: Emulator) -> Scanned:
    """With an alias, recorders in all regions, and several pages of everything."""
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
    return Scanned(account, role, user_of(account))


def small_account(emulator: Emulator) -> Scanned:
    """Without an alias: two buckets, a role, and a recorder in us-west-2 alone."""
    account = emulator.open_account("444455556666")
    [bucket, _] = account.buckets("us-west-2", 2)
    role = account.role()
    account.recorder("us-west-2", role, bucket)
    return Scanned(account, role, user_of(account))
