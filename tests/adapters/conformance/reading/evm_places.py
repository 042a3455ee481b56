"""Places of an EVM chain with a member's contracts, and what its node says that they hold."""

from hutong.adapters.ics26.execution import ExecutionRpc
from hutong.light_clients.crypto.hashes import keccak256
from hutong.light_clients.records import AccountField, FieldPlace, SlotPlace
from tests.adapters.conformance.lane import EvmMember
from tests.adapters.conformance.reading.read_lane import Watch

SLOTS = 32
"""Of the Mailbox, that are looked through for one that is written and one that is not."""
NOBODY = bytes.fromhex("99" * 20)


async def evm_watches(member: EvmMember) -> tuple[Watch, ...]:
    """A slot that holds something, one that holds nothing, an account's code, and an account that does not exist.

    Nothing of it changes while the chain runs, so that it is the same at every height.
    """
    execution, mailbox, router = member.chain.execution, member.mailbox, bytes.fromhex(member.contracts.router[2:])
    words = [await _slot(execution, mailbox, number) for number in range(SLOTS)]
    full = next(number for number, word in enumerate(words) if any(word))
    empty = next(number for number, word in enumerate(words) if not any(word))
    code = await _asked(execution, "eth_getCode", router)
    return (
        _slot_watch("written slot", mailbox, full, words[full]),
        _slot_watch("empty slot", mailbox, empty, None),
        _field_watch("router's code", router, AccountField.CODE_HASH, keccak256(code)),
        _field_watch("nobody's balance", NOBODY, AccountField.BALANCE, None),
    )


async def _slot(execution: ExecutionRpc, account: bytes, number: int) -> bytes:
    return await _asked(execution, "eth_getStorageAt", account, hex(number))


async def _asked(execution: ExecutionRpc, method: str, account: bytes, *more: str) -> bytes:
    params = [f"0x{account.hex()}", *more, "latest"]
    return await execution.client.call(method, params, lambda fields: fields.data(max_bytes=2**16))


def _slot_watch(name: str, account: bytes, number: int, value: bytes | None) -> Watch:
    word, where = number.to_bytes(32, "big"), f"0x{account.hex()}"
    return Watch(
        name,
        SlotPlace(account, word),
        f'contract = "{where}"\nslot = "{hex(number)}"\n',
        f"{where}:{hex(number)}",
        value,
    )


def _field_watch(name: str, account: bytes, field: AccountField, value: bytes | None) -> Watch:
    where, written = f"0x{account.hex()}", field.name.lower()
    table = f'account = "{where}"\nfield = "{written}"\n'
    return Watch(name, FieldPlace(account, field), table, f"{where}.{written}", value)
