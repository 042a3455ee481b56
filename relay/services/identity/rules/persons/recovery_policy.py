"""Who may give a person's place to another key: guardians, the registrar, or both. The hub sees it only when it is used."""

from dataclasses import dataclass
from typing import Final

from hutong.light_clients.crypto import sha256
from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.identity.rules.persons.person import SALT_BYTES
from hutong.relay.services.identity.rules.records.encoding import ADDRESS_BYTES, check_number

MAX_GUARDIANS: Final = 8
MIN_DELAY_S: Final = 3_600
MAX_DELAY_S: Final = 2_592_000
POLICY_DOMAIN: Final = b"hutong/identity/recovery/1"
_FIXED_BYTES: Final = SALT_BYTES + 1 + 1 + 4 + 1


@dataclass(frozen=True, slots=True)
class PersonPolicy:
    """`threshold` of `guardians` (accounts, ascending), and the registrar if it may; the present key cancels within `delay_s`.

    `salt` keeps anybody from trying out who the guardians are.
    """

    salt: bytes
    threshold: int
    guardians: tuple[bytes, ...]
    registrar_may: bool
    delay_s: int

    def __post_init__(self) -> None:
        if len(self.salt) != SALT_BYTES:
            raise MalformedInput("recovery.salt", f"has {SALT_BYTES} bytes", got=len(self.salt))
        check_number("recovery.delay_s", self.delay_s, least=MIN_DELAY_S, most=MAX_DELAY_S)
        number = len(self.guardians)
        check_number("recovery.guardians", number, most=MAX_GUARDIANS)
        check_number("recovery.threshold", self.threshold, least=min(number, 1), most=number)
        if not number and not self.registrar_may:
            raise MalformedInput("recovery", "names nobody; whoever wants no recovery commits to none")
        if any(len(account) != ADDRESS_BYTES or not any(account) for account in self.guardians):
            raise MalformedInput("recovery.guardians", "accounts of 20 bytes, not zero")
        if any(one >= other for one, other in zip(self.guardians, self.guardians[1:], strict=False)):
            raise MalformedInput("recovery.guardians", "ascend, none twice", got=self.guardians)


def encode_person_policy(policy: PersonPolicy) -> bytes:
    """`salt ‖ threshold ‖ registrar may (0 or 1) ‖ BE4 delay ‖ number of guardians ‖ guardians`."""
    return b"".join(
        (
            policy.salt,
            bytes([policy.threshold, policy.registrar_may]),
            policy.delay_s.to_bytes(4, "big"),
            bytes([len(policy.guardians)]),
            *policy.guardians,
        )
    )


def decode_person_policy(data: bytes) -> PersonPolicy:
    """Inverse of `encode_person_policy`.

    Raises:
        MalformedInput: another length, or a member out of its rule.
    """
    number = data[_FIXED_BYTES - 1] if len(data) >= _FIXED_BYTES else 0
    if len(data) != _FIXED_BYTES + number * ADDRESS_BYTES or data[SALT_BYTES + 1] > 1:
        raise MalformedInput("recovery", "bytes of another form", got=len(data))
    starts = range(_FIXED_BYTES, len(data), ADDRESS_BYTES)
    return PersonPolicy(
        data[:SALT_BYTES],
        data[SALT_BYTES],
        tuple(data[at : at + ADDRESS_BYTES] for at in starts),
        bool(data[SALT_BYTES + 1]),
        int.from_bytes(data[SALT_BYTES + 2 : SALT_BYTES + 6], "big"),
    )


def policy_commitment_of(policy: PersonPolicy) -> bytes:
    """What a leaf holds of it."""
    return sha256(POLICY_DOMAIN + encode_person_policy(policy))
