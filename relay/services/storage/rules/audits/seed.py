"""The seed of an epoch: a header's hash and the secrets of auditors, who committed to them before (docs/spec/storage-audits.md).

A proposer chooses among headers without knowing the secrets; auditors chose their secrets without knowing the header. The hash
of a header alone is no seed: a proposer that lost a hundredth of its shards finds a passing header after some fifty tries.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hutong.light_clients.crypto import sha256
from hutong.light_clients.interface import MalformedInput, PredicateFailed, rule
from hutong.relay.services.identity.rules.records.encoding import check_bytes, check_number

SPEC: Final = "docs/spec/storage-audits.md"
SECRET_DOMAIN: Final = b"hutong/storage/secret/1"
SEED_DOMAIN: Final = b"hutong/storage/seed/1"
HUB_DOMAIN: Final = b"hutong/storage/hub/1"
MAX_AUDITORS: Final = 16
MAX_CHAIN_ID_BYTES: Final = 64
_REVEALED: Final = b"\x01"
_WITHHELD: Final = b"\x00"


@dataclass(frozen=True, slots=True)
class Auditor:
    """One who commits: `auditor` is its 32-byte id on the hub, `commitment` what `secret_commitment` gives."""

    auditor: bytes
    commitment: bytes

    def __post_init__(self) -> None:
        check_bytes("auditor.id", self.auditor)
        check_bytes("auditor.commitment", self.commitment)


@dataclass(frozen=True, slots=True)
class Seed:
    """`value` is 32 bytes; `reveals` says how many of `auditors` it holds, and with none it is weak."""

    value: bytes
    reveals: int
    auditors: int

    @property
    def is_weak(self) -> bool:
        """Whether a proposer alone could have chosen it."""
        return self.reveals == 0


def hub_id(chain_id: str) -> bytes:
    """32 bytes that stand for a hub in everything that is hashed or signed here.

    Raises:
        MalformedInput: no name, or one of more than 64 bytes.
    """
    raw = chain_id.encode()
    if not 1 <= len(raw) <= MAX_CHAIN_ID_BYTES:
        raise MalformedInput("hub.chain_id", f"1 to {MAX_CHAIN_ID_BYTES} bytes", got=len(raw))
    return sha256(HUB_DOMAIN + raw)


def secret_commitment(hub: bytes, auditor: bytes, epoch: int, secret: bytes) -> bytes:
    """What an auditor commits to before the header of the epoch; nobody else's commitment can be copied, nor an epoch's again.

    Raises:
        MalformedInput: an id, hub or secret that is not 32 bytes, or an epoch out of its bounds.
    """
    for field, value in (("hub", hub), ("auditor", auditor), ("secret", secret)):
        check_bytes(f"commitment.{field}", value)
    check_number("commitment.epoch", epoch)
    return sha256(SECRET_DOMAIN + hub + auditor + epoch.to_bytes(8, "big") + secret)


@rule(SPEC)
def secret_is_the_committed_one(hub: bytes, auditor: Auditor, epoch: int, secret: bytes) -> None:
    """What is revealed is what was committed to, for this epoch of this hub.

    Raises:
        PredicateFailed: it is another.
        MalformedInput: see `secret_commitment`.
    """
    found = secret_commitment(hub, auditor.auditor, epoch, secret)
    if found != auditor.commitment:
        raise PredicateFailed("secret_is_the_committed_one", "another secret", got=found, expected=auditor.commitment)


def epoch_seed(
    hub: bytes, epoch: int, header: bytes, auditors: Sequence[Auditor], secrets: Sequence[bytes | None]
) -> Seed:
    """The seed of an epoch, with what was revealed in time.

    Args:
        hub: see `hub_id`.
        header: hash of the epoch's header, 32 bytes.
        auditors: all who committed in time, in ascending order of their ids.
        secrets: of each auditor its secret, or None where it was withheld.

    Raises:
        MalformedInput: more auditors than there may be, ids that do not ascend, or lengths out of their bounds.
        PredicateFailed: `secret_is_the_committed_one`.
    """
    check_bytes("seed.header", header)
    check_bytes("seed.hub", hub)
    check_number("seed.epoch", epoch)
    if len(auditors) > MAX_AUDITORS or len(secrets) != len(auditors):
        raise MalformedInput("seed.auditors", f"at most {MAX_AUDITORS}, and a secret or None of each", len(secrets))
    ids = [auditor.auditor for auditor in auditors]
    if any(one >= other for one, other in itertools.pairwise(ids)):
        raise MalformedInput("seed.auditors", "ids do not ascend")
    parts = [SEED_DOMAIN, hub, epoch.to_bytes(8, "big"), header, bytes([len(auditors)])]
    for auditor, secret in zip(auditors, secrets, strict=True):
        if secret is None:
            parts += [_WITHHELD, auditor.commitment]
            continue
        secret_is_the_committed_one(hub, auditor, epoch, secret)
        parts += [_REVEALED, secret]
    value = sha256(b"".join(parts))
    return Seed(value, sum(secret is not None for secret in secrets), len(auditors))
