"""Fixed keys, a clock that is told, and transactions for the tests of development chains."""

from eth_account import Account

from hutong.light_clients.bft_evm import (
    ClientState,
    Consensus,
    ConsensusState,
    decode_extra_data,
    encode_client_state,
    encode_consensus_state,
)
from hutong.light_clients.crypto import keccak256
from hutong.light_clients.evm_header import ExecutionHeader
from hutong.light_clients.interface import Height
from hutong.light_clients.proofs.mpt import commitment_slot
from hutong.relay.devnet import DevnetChain, Genesis
from hutong.relay.evm.store.database import MemoryStore

CHAIN_ID = 31_337
ACCOUNT = Account.from_key(keccak256(b"funded"))
ADDRESS = bytes.fromhex(ACCOUNT.address[2:])
VALIDATOR_KEYS = tuple(keccak256(b"devnet validator" + bytes([number])) for number in range(4))
FUNDS = {ADDRESS: 10**24}
KEY = b"client-0\x01" + (1).to_bytes(8, "big")
VALUE = b"\x5a" * 32


class WallClock:
    def __init__(self) -> None:
        self.now_s = 1_700_000_000.75

    def __call__(self) -> float:
        return self.now_s


def genesis(**changed) -> Genesis:
    return Genesis(**{"chain_id": CHAIN_ID, "funds_wei": FUNDS, **changed})


def new_chain(store=None, clock=None, **changed) -> DevnetChain:
    return DevnetChain(
        store or MemoryStore(), genesis(**changed), private_keys=VALIDATOR_KEYS, wall_clock_s=clock or WallClock()
    )


def signed(nonce: int, **fields) -> bytes:
    transaction = {
        "to": "0x" + "22" * 20, "value": 1, "gas": 100_000, "maxFeePerGas": 0, "maxPriorityFeePerGas": 0,
        "nonce": nonce, "chainId": CHAIN_ID,
    }  # fmt: skip
    return bytes(ACCOUNT.sign_transaction({**transaction, **fields}).raw_transaction)


def commitment_deployment(nonce: int, key: bytes = KEY, value: bytes = VALUE) -> bytes:
    """Deploys a one-byte contract whose storage holds `value` where a router keeps `key`."""
    store = b"\x7f" + value + b"\x7f" + commitment_slot(key) + b"\x55"
    return signed(nonce, to=b"", value=0, data=store + bytes.fromhex("60005f5360015ff3"), gas=200_000)


def client_states(header: ExecutionHeader, storage_root: bytes, router: bytes) -> tuple[bytes, bytes]:
    height = Height(0, header.number)
    validators = tuple(sorted(decode_extra_data(header.extra_data).validators))
    return (
        encode_client_state(ClientState(CHAIN_ID, Consensus.QBFT, router, 1_000_000, 15, height)),
        encode_consensus_state(ConsensusState(header.timestamp_s, storage_root, validators)),
    )
