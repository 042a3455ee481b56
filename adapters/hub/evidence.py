"""Double votes that the hub's state has on record."""

from dataclasses import dataclass

from hutong.adapters.ics26.execution import ExecutionRpc
from hutong.adapters.rpc import Fields

_ADDRESS_CHARS = 42
MAX_ROWS = 1_000


@dataclass(frozen=True, slots=True)
class DoubleVote:
    """`recorded_at` is the block that carries both votes."""

    validator: bytes
    height: int
    power: int
    total_power: int
    recorded_at: int


def decode_double_votes(fields: Fields) -> tuple[DoubleVote, ...]:
    """The rows of `hutong_evidence`, at most MAX_ROWS. The votes themselves are not in them, so nothing is verified.

    Raises:
        BadAnswer: more rows, or a malformed one.
    """
    return tuple(_decode(row) for row in fields.items(MAX_ROWS))


def _decode(row: Fields) -> DoubleVote:
    validator = row.at("validator")
    text = validator.text(_ADDRESS_CHARS)
    try:
        address = bytes.fromhex(text.removeprefix("0x"))
    except ValueError as error:
        raise validator.bad("is not hex") from error
    if len(address) != 20:
        raise validator.bad("is not an address of 20 bytes")
    return DoubleVote(
        address,
        row.at("height").quantity(),
        row.at("power").quantity(),
        row.at("totalPower").quantity(),
        row.at("recordedAt").quantity(),
    )


async def double_votes(execution: ExecutionRpc) -> tuple[DoubleVote, ...]:
    """The double votes on record by a node's word, by height: at most the first thousand.

    Raises:
        BadAnswer: malformed.
        EndpointUnavailable, RpcRefused: no endpoint tells.
    """
    return await execution.client.call("hutong_evidence", [], decode_double_votes)
