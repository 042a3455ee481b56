"""ABI of the transfer module (docs/spec/hub-transfer.md)."""

from typing import Final

from hutong.relay.hub.application.abi import Error, Event, Function

BALANCE_OF: Final = Function("balanceOf", ["string", "address"], ["uint256"])
SUPPLY_OF: Final = Function("supplyOf", ["string"], ["uint256"])
ESCROWED: Final = Function("escrowed", ["string", "string"], ["uint256"])
HOMEWARD: Final = Function("homeward", ["string"], ["uint256"])
TRACE_OF: Final = Function("traceOf", ["bytes32"], ["string"])
TRANSFER: Final = Function("transfer", ["string", "address", "uint256"])
SEND_TRANSFER: Final = Function(
    "sendTransfer", ["string", "string", "uint256", "string", "uint64", "string"], ["uint64"]
)
"""(client, denom, amount, receiver, timeout in Unix seconds, memo) -> sequence."""

TOKENS_MOVED_EVENT: Final = Event("TokensMoved", ["bytes32", "address", "address"], ["uint256", "string"])
"""(hash of the denomination, from, to), (amount, denomination); the zero address is no account: minted, burnt, escrowed."""
REFUND_REFUSED_EVENT: Final = Event("RefundRefused", ["string", "uint256"], ["string"])
"""(client, sequence) of a packet whose destination contradicts itself, the reason."""

INSUFFICIENT_TOKENS: Final = Error("InsufficientTokens", "string", "uint256", "uint256")
INVALID_RECEIVER: Final = Error("InvalidReceiver", "address")
