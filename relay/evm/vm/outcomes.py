"""What a call outside a block says, what comes of it, and what comes of a transaction."""

from dataclasses import dataclass

from hutong.relay.evm.errors import CallFailure
from hutong.relay.evm.vm.native import Address
from hutong.relay.evm.vm.transaction import AccessList


@dataclass(frozen=True, slots=True)
class Log:
    address: Address
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class TransactionOutcome:
    """An executed transaction, successful or not. `logs` is empty when it failed."""

    success: bool
    gas_used: int
    logs: tuple[Log, ...]
    contract_address: Address | None
    return_data: bytes
    failure: CallFailure | None
    failure_detail: str


@dataclass(frozen=True, slots=True)
class CallMessage:
    """A call outside any block (eth_call). `to` None creates; `gas` 0 means the block gas limit. Gas costs no
    balance."""

    sender: Address
    to: Address | None
    data: bytes = b""
    value_wei: int = 0
    gas: int = 0
    access_list: AccessList = ()


@dataclass(frozen=True, slots=True)
class CallResult:
    """`gas_used` is what a transaction with this message would use, intrinsic gas and refunds included."""

    success: bool
    return_data: bytes
    gas_used: int
    failure: CallFailure | None
    failure_detail: str
