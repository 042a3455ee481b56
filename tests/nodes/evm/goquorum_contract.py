"""QBFT whose validators a contract selects, as GoQuorum asks it: `getValidators()` after the parent block."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

from eth_abi.abi import decode
from eth_account import Account
from eth_utils import to_checksum_address

from hutong.light_clients.bft_evm import Consensus, encode_extra_data
from hutong.light_clients.bft_evm.contract import element_slots
from hutong.light_clients.bft_evm.types import MAX_CONTRACT_VALIDATORS, ExtraData
from tests.nodes.evm.geth_network import GethNetwork, GethNode
from tests.nodes.evm.goquorum import VANITY, goquorum_network

CONTRACT = to_checksum_address("0x" + "c0" * 20)
LENGTH_SLOT = bytes(32)
SLOTS = tuple(element_slots(LENGTH_SLOT, MAX_CONTRACT_VALIDATORS))
CODE = (
    "36603f10605a57"  # more than 63 bytes of input: to the last line
    "60005460206000528060205260005b81811015604f57"  # head and length of an address[]; for each i below the length
    f"7f{SLOTS[0].hex()}8101548160051b604001526001016015565b"  # append the word at slot K(0) + i
    "5060051b6040016000f3"  # return it
    "5b6020356000355500"  # store the input's second word at the slot that the first one names
)
"""Whatever is asked, the answer is the `address[]` at slot 0."""
GAS = 100_000


@dataclass(frozen=True)
class ContractNetwork(GethNetwork):
    """Who seals is decided by transactions to the contract."""

    def propose(self, subject: GethNode, *, add: bool) -> None:
        listed = sorted(self.listed())
        if add:
            self._store(SLOTS[len(listed)], bytes.fromhex(subject.address[2:]))
            self._store(LENGTH_SLOT, bytes([len(listed) + 1]))
            return
        words = [
            self.nodes[0].request("eth_getStorageAt", CONTRACT, _hex(slot), "latest") for slot in SLOTS[: len(listed)]
        ]
        place = [word[-40:] for word in words].index(subject.address[2:].lower())
        self._store(SLOTS[place], bytes.fromhex(words[-1][2:]))
        self._store(LENGTH_SLOT, bytes([len(listed) - 1]))

    def selected(self, height: int) -> tuple[bytes, ...]:
        """The contract's list after a block."""
        answer = self.nodes[0].request("eth_call", {"to": CONTRACT}, hex(height))
        (addresses,) = decode(["address[]"], bytes.fromhex(answer[2:]))
        return tuple(bytes.fromhex(address[2:]) for address in addresses)

    def _store(self, slot: bytes, value: bytes) -> None:
        node = self.nodes[0]
        sender = Account.from_key(node.secret)
        nonce = int(node.request("eth_getTransactionCount", sender.address, "pending"), 16)
        transaction = {
            "chainId": self.genesis["config"]["chainId"],
            "nonce": nonce,
            "gas": GAS,
            "gasPrice": 0,
            "value": 0,
        }
        signed = sender.sign_transaction({**transaction, "to": CONTRACT, "data": slot + value.rjust(32, b"\0")})
        node.request("eth_sendRawTransaction", _hex(signed.raw_transaction))


def contract_network(home: Path, chain_id: int, port: int, funded: Sequence[str]) -> ContractNetwork:
    """As `goquorum_network`; the genesis block lists nobody."""
    network = goquorum_network(home, chain_id, port, funded, Consensus.QBFT)
    genesis = json.loads(json.dumps(network.genesis))
    words = {slot: bytes.fromhex(node.address[2:]) for slot, node in zip(SLOTS, network.sealers, strict=False)}
    words[LENGTH_SLOT] = bytes([len(network.sealers)])
    storage = {_hex(slot): _hex(value.rjust(32, b"\0")) for slot, value in words.items()}
    genesis["alloc"][CONTRACT[2:]] = {"balance": "0", "code": "0x" + CODE, "storage": storage}
    genesis["config"]["qbft"] |= {"validatorcontractaddress": CONTRACT, "validatorselectionmode": "contract"}
    genesis["extraData"] = _hex(encode_extra_data(ExtraData(VANITY, (), None, 0, ())))
    network = replace(network, genesis=genesis)
    return ContractNetwork(**{field.name: getattr(network, field.name) for field in fields(network)})


def _hex(data: bytes) -> str:
    return "0x" + bytes(data).hex()
