"""What the tests of access share: a clock turned by hand, cheap hashes, files of users."""

import argon2

HASH = "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$" + "A" * 43
OTHER = "$argon2id$v=19$m=64,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$" + "B" * 43
DIGEST = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
DIGITS = "1" * 63 + "2"
USERS = f"# who may ask\nusers:\n  alice: {HASH}  # since May\n  'bob smith': {OTHER}\n"


def cheap_hash(password: str) -> str:
    """Return a hash that costs a test no time."""
    return argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(password)


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now
