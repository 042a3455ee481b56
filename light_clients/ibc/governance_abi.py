"""The ABI of a hub's governance module: what the hub answers and its adapter reads (docs/spec/hub-governance.md).

Names and types stand here once; each side makes its own functions and events of them.
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import Any, Final, NamedTuple

from eth_abi.abi import encode

from hutong.light_clients.crypto.hashes import keccak256

POSSESSION_DOMAIN = "hutong/validator-key/1"


class Status(IntEnum):
    """Where a proposal stands, as `getProposal` and `getResult` answer."""

    OPEN = 0
    FAILED = 1
    """Approved, but its action was refused: it may be executed again until it expires."""
    EXECUTED = 2
    EXPIRED = 3


class RecordShape:
    """A tuple of the ABI whose values have names."""

    def __init__(self, **types: str) -> None:
        """`types`: ABI type by name, in the order of the encoding."""
        self.names = tuple(types)
        self.types = list(types.values())
        self.tuple_type = f"({','.join(self.types)})"

    def named(self, values: Sequence[Any]) -> dict[str, Any]:
        """Decoded values by their names.

        Raises:
            ValueError: there are more or fewer values than names.
        """
        return dict(zip(self.names, values, strict=True))

    def values_of(self, record: object, **others: object) -> tuple[Any, ...]:
        """The values to encode: those of `others`, and else the attributes of `record` that have the names.

        Raises:
            AttributeError: a name is in neither.
        """
        return tuple(others[name] if name in others else getattr(record, name) for name in self.names)


class FunctionShape(NamedTuple):
    """A function: its name, and the ABI types of arguments and results."""

    name: str
    arguments: tuple[str, ...]
    results: tuple[str, ...] = ()


class EventShape(NamedTuple):
    """An event: its name, and the ABI types of what is indexed and of its data. The indexed ones come first."""

    name: str
    indexed: tuple[str, ...]
    data: tuple[str, ...]

    @property
    def signature(self) -> str:
        """As it is hashed to the first topic."""
        return f"{self.name}({','.join((*self.indexed, *self.data))})"


PROPOSAL: Final = RecordShape(
    public_key="bytes",
    account="address",
    proposed_s="uint64",
    height="uint64",
    expires_s="uint64",
    title="string",
    action="bytes",
)
"""Who proposed what, and until when; also the record in the hub's state."""
RESULT: Final = RecordShape(
    status="uint8",
    time_s="uint64",
    height="uint64",
    total_power="uint64",
    approvals="(bytes,uint64)[]",
    text="string",
)
"""The last attempt to execute: approvals are (key, power), `text` is why it failed. Also the record in the state."""
VOTE_ROW: Final = RecordShape(
    public_key="bytes",
    approve="bool",
    power="uint64",
    time_s="uint64",
    height="uint64",
)
"""Of one validator, with the power that it held at the vote."""
MEMBER: Final = RecordShape(
    public_key="bytes",
    account="address",
    power="uint64",
    rotated_s="uint64",
)
"""A validator, its operator, and the time of the last change of key."""
SCHEDULE: Final = RecordShape(
    rules_version="uint32",
    planned_version="uint32",
    planned_height="uint64",
    last_height="uint64",
)
"""The rules version of the next block; what is planned, or 0; the revision's last block, or 0."""

PROPOSE: Final = FunctionShape("propose", ("bytes", "string"), ("uint64",))
VOTE: Final = FunctionShape("vote", ("uint64", "bool"), ("bool",))
"""Whether the proposal was executed by it."""
EXECUTE_PROPOSAL: Final = FunctionShape("executeProposal", ("uint64",))
ROTATE_KEY: Final = FunctionShape("rotateKey", ("bytes", "bytes"))
"""(new compressed key, its signature over the proof of possession)"""
PROPOSAL_COUNT: Final = FunctionShape("proposalCount", (), ("uint64",))
GET_PROPOSAL: Final = FunctionShape("getProposal", ("uint64",), ("uint8", "uint64", "uint64", PROPOSAL.tuple_type))
"""(status, approved power, total power, the proposal)."""
GET_RESULT: Final = FunctionShape("getResult", ("uint64",), (RESULT.tuple_type,))
GET_VOTES: Final = FunctionShape("getVotes", ("uint64",), (f"{VOTE_ROW.tuple_type}[]",))
"""In the order of the keys."""
GET_MEMBERS: Final = FunctionShape("getMembers", (), (f"{MEMBER.tuple_type}[]",))
"""In the order of the keys."""
GET_SCHEDULE: Final = FunctionShape("getSchedule", (), tuple(SCHEDULE.types))
GET_PARAMETER: Final = FunctionShape("getParameter", ("string",), ("uint64",))

PROPOSED: Final = EventShape("Proposed", ("uint64", "address"), ("uint8", "uint64", "string"))
"""(number, operator; kind, expiry, title)."""
VOTED: Final = EventShape("Voted", ("uint64", "address"), ("bool", "uint64", "uint64"))
"""(number, operator; approves, approved power, total power)."""
PROPOSAL_EXECUTED: Final = EventShape("ProposalExecuted", ("uint64",), ("uint8",))
PROPOSAL_FAILED: Final = EventShape("ProposalFailed", ("uint64",), ("string",))
KEY_ROTATED: Final = EventShape("KeyRotated", ("address",), ("bytes", "bytes"))
"""(operator; old key, new key)."""
VALIDATOR_ADMITTED: Final = EventShape("ValidatorAdmitted", ("address",), ("bytes", "uint64"))


def possession_digest(chain_id: str, operator: bytes, public_key: bytes) -> bytes:
    """The 32 bytes that a new consensus key signs, Keccak-256 of domain, chain, operator and key.

    So that only who holds the key brings it in, under one operator and on one hub.

    Args:
        operator: 20 bytes.
        public_key: compressed secp256k1, 33 bytes.
    """
    return keccak256(
        encode(["string", "string", "address", "bytes"], [POSSESSION_DOMAIN, chain_id, operator, public_key])
    )
