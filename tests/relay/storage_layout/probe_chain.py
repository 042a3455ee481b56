"""A chain on the project's EVM with its JSON-RPC, on which test contracts are deployed and called."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from eth_abi import decode, encode
from eth_account import Account

from hutong.light_clients.crypto import keccak256
from hutong.relay.storage_layout import StorageLayout
from tests.contracts.evm import artifact, signature_of, type_of
from tests.relay.evm.evm_simulator import CHAIN_ID, InstantChain, funded, served
from tests.relay.storage_layout.layout_files import read

ACCOUNT = Account.from_key(keccak256(b"layouts"))
GAS = 12_000_000


@contextmanager
def running_chain() -> "Iterator[ProbeChain]":
    chain = InstantChain(funded(bytes.fromhex(ACCOUNT.address[2:])))
    with served(chain) as port, httpx.Client(base_url=f"http://127.0.0.1:{port}") as http:
        yield ProbeChain(http)


class ProbeChain:
    """The chain, by its JSON-RPC."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http
        self._nonce = 0

    def rpc(self, method: str, *params: Any) -> Any:
        answer = self._http.post("/", json={"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).json()
        assert "error" not in answer, answer
        return answer["result"]

    def send(self, to: str, data: bytes) -> dict[str, Any]:
        fields = {
            "to": bytes.fromhex(to[2:]), "data": data, "value": 0, "gas": GAS, "gasPrice": 0, "nonce": self._nonce, "chainId": CHAIN_ID,
        }  # fmt: skip
        self._nonce += 1
        raw = ACCOUNT.sign_transaction(fields).raw_transaction
        receipt = self.rpc("eth_getTransactionReceipt", self.rpc("eth_sendRawTransaction", f"0x{raw.hex()}"))
        assert receipt["status"] == "0x1", receipt
        return receipt

    def deploy(self, name: str, *arguments: Any) -> "Probed":
        compiled = artifact(name)
        inputs = next((entry["inputs"] for entry in compiled.abi if entry["type"] == "constructor"), [])
        receipt = self.send("", compiled.bytecode + encode([type_of(p) for p in inputs], arguments))
        return Probed(self, receipt["contractAddress"], name)


@dataclass(frozen=True)
class Probed:
    """A deployed contract, called by the names of its functions."""

    chain: ProbeChain
    address: str
    name: str

    def _function(self, name: str) -> dict[str, Any]:
        return next(entry for entry in artifact(self.name).abi if entry.get("name") == name)

    def _calldata(self, name: str, arguments: tuple[Any, ...]) -> bytes:
        entry = self._function(name)
        selector = keccak256(signature_of(entry).encode())[:4]
        return selector + encode([type_of(p) for p in entry["inputs"]], arguments)

    def send(self, function: str, *arguments: Any) -> None:
        self.chain.send(self.address, self._calldata(function, arguments))

    def call(self, function: str, *arguments: Any) -> Any:
        """What the getter answers: addresses as bytes, several values as a tuple."""
        request = {"to": self.address, "data": f"0x{self._calldata(function, arguments).hex()}"}
        answer = bytes.fromhex(self.chain.rpc("eth_call", request, "latest")[2:])
        outputs = [type_of(p) for p in self._function(function)["outputs"]]
        values = tuple(plain(value) for value in decode(outputs, answer))
        return values[0] if len(values) == 1 else values

    def stored(self, of: StorageLayout, path: str) -> Any:
        """What the contract's slots hold at a path, asked of the node slot by slot; structs as tuples."""
        return plain(read(of, path, self.word))

    def word(self, slot: int) -> bytes:
        return bytes.fromhex(self.chain.rpc("eth_getStorageAt", self.address, hex(slot), "latest")[2:])


def plain(value: Any) -> Any:
    """Addresses as bytes and structs as tuples, as both sides of a comparison have them."""
    if isinstance(value, dict):
        return tuple(map(plain, value.values()))
    if isinstance(value, tuple | list):
        return tuple(map(plain, value))
    if isinstance(value, str) and value.startswith("0x") and len(value) == 42:
        return bytes.fromhex(value[2:])
    return value
