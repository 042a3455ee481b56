"""What the registrar's addresses take and answer, as OpenAPI has it. Bytes are hexadecimal digits, without `0x`."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from hutong.relay.services.identity.rules.persons.changing import CHANGE_BYTES, CONTROL_BYTES
from hutong.relay.services.identity.rules.persons.recovery_policy import MAX_GUARDIANS
from hutong.relay.services.identity.rules.persons.registering import REGISTRATION_BYTES
from hutong.relay.services.identity.rules.records.shard_record import MAX_LEAVES

MAX_MANY = 1_000
"""Registrations or invitations of one request."""
MAX_POLICY_BYTES = 23 + MAX_GUARDIANS * 20
MAX_INVITATION_DAYS = 90


def _digits(size: int) -> str:
    return f"^[0-9a-f]{{{2 * size}}}$"


ShardNumber = Annotated[int, Field(ge=0, lt=4_096)]
LeafIndex = Annotated[int, Field(ge=0, lt=MAX_LEAVES)]
RegistrationHex = Annotated[str, Field(pattern=_digits(REGISTRATION_BYTES))]
"""account ‖ salt ‖ next ‖ recovery ‖ signature."""
CompactSignature = Annotated[str, Field(pattern=_digits(64))]
GuardianSignature = Annotated[str, Field(pattern=_digits(65))]
ControlHex = Annotated[str, Field(pattern=_digits(CONTROL_BYTES))]
"""account ‖ next ‖ recovery, which are to follow."""
PolicyHex = Annotated[str, Field(pattern=r"^([0-9a-f]{2})+$", max_length=2 * MAX_POLICY_BYTES)]
UnixTime = Annotated[int, Field(ge=1, lt=2**40)]
ReceiptHex = Annotated[str, Field(pattern=_digits(32))]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class InvitationsWanted(_Body):
    """`POST /v1/registrar/invitations`."""

    count: Annotated[int, Field(ge=1, le=MAX_MANY)] = 1
    days: Annotated[int, Field(ge=1, le=MAX_INVITATION_DAYS)] = 7


class OwnRegistration(_Body):
    """`POST /v1/registrar/registrations`: a person, by an invitation."""

    invitation: Annotated[str, Field(min_length=1, max_length=64)]
    shard: ShardNumber
    """Which was signed for."""
    registration: RegistrationHex


class ManyRegistrations(_Body):
    """`POST /v1/registrar/batches`: an office, by its key."""

    shard: ShardNumber
    registrations: Annotated[list[RegistrationHex], Field(min_length=1, max_length=MAX_MANY)]


class WantedChange(_Body):
    """`POST /v1/registrar/changes`."""

    shard: ShardNumber
    change: Annotated[str, Field(pattern=_digits(CHANGE_BYTES))]
    """index ‖ opening ‖ what follows ‖ signature of the key that decides."""


class WantedRecovery(_Body):
    """`POST /v1/registrar/recoveries`: by guardians' signatures, ascending by account; or as the registrar, by a key."""

    shard: ShardNumber
    index: LeafIndex
    following: ControlHex
    policy: PolicyHex
    """Which the person committed to."""
    expires: UnixTime | None = None
    signatures: Annotated[list[GuardianSignature], Field(max_length=MAX_GUARDIANS)] = []


class WantedCancellation(_Body):
    """`POST /v1/registrar/recoveries/cancel`."""

    shard: ShardNumber
    index: LeafIndex
    signature: CompactSignature
    """Of the present key, over the record of the recovery."""


class WantedCompletion(_Body):
    """`POST /v1/registrar/recoveries/complete`: anybody, once the delay is over."""

    shard: ShardNumber
    index: LeafIndex


class WantedProof(_Body):
    """`POST /v1/registrar/proofs`: signed by a key of the person or of a guardian who shows the policy; or by an office's key."""

    shard: ShardNumber
    index: LeafIndex
    expires: UnixTime | None = None
    signature: CompactSignature | None = None
    policy: PolicyHex | None = None


class ReceiptShown(_Body):
    """`POST /v1/registrar/receipts`."""

    receipt: ReceiptHex


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RegistrarAnswer(_Answer):
    """The registrar, and the shard for which a registration is signed now."""

    did: str
    hub: str
    shard: int
    free: int
    height: int
    """Of the block up to which the hub was followed."""
    collect_s: int


class InvitationsAnswer(_Answer):
    """One-time codes; each is told once."""

    invitations: list[str]
    expires_at_s: int


class TakenAnswer(_Answer):
    """What was taken: `waiting`, or how it stands if it had been asked before."""

    receipt: str
    state: str


class ManyTakenAnswer(_Answer):
    """In the order in which they were asked."""

    taken: list[TakenAnswer]


class StandingAnswer(_Answer):
    """What came of it. `did`, `index` of a registration that is done; `effective_at_s` of a recovery that began."""

    receipt: str
    kind: str
    state: str
    shard: int
    index: int | None
    did: str | None
    reason: str | None
    effective_at_s: int | None


class ProofAnswer(_Answer):
    """`proof` is judged by the shard's record, whose key is `record`, under a header of the hub (`hutong audit record`).
    `recovery` is the record of a recovery that stands there, by the node's word."""

    did: str
    proof: str
    record: str
    height: int
    recovery: str | None
