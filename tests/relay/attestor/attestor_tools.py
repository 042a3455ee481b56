"""A scripted EVM node for attestors: blocks and a router's words, each of which a test may change."""

import json
from dataclasses import dataclass, field

from hutong.adapters.ics26.abi import GET_COMMITMENT, MULTICALL
from hutong.light_clients.crypto import keccak256
from tests.adapters.rpc.hostile_server import error, result

CHAIN_ID = 31337
ROUTER = b"\xa1" * 20


@dataclass
class ScriptedNode:
    """Its chain is `heads` blocks long; block n has time `1000 + n` and a hash made of n and `fork`."""

    server: object
    newest: int = 20
    finalized: int = 12
    fork: int = 0
    words: dict = field(default_factory=dict)
    roots: dict = field(default_factory=dict)
    chain_id: int = CHAIN_ID

    def __post_init__(self):
        self.server.answers |= {
            "eth_chainId": lambda request: result(request, hex(self.chain_id)),
            "eth_blockNumber": lambda request: result(request, hex(self.newest)),
            "eth_getBlockByNumber": self._block,
            "eth_getBlockByHash": self._block_by_hash,
            "eth_call": self._call,
        }

    def hash(self, height: int) -> bytes:
        return keccak256(f"{height}/{self.fork}".encode())

    def _block(self, request):
        tag = request["params"][0]
        height = {"latest": self.newest, "finalized": self.finalized}.get(tag)
        height = int(tag, 16) if height is None else height
        if height > self.newest:
            return result(request, None)
        return result(
            request,
            {
                "number": hex(height),
                "hash": "0x" + self.hash(height).hex(),
                "parentHash": "0x" + self.hash(height - 1).hex(),
                "timestamp": hex(1000 + height + self.fork),
                "gasLimit": "0x1",
            },
        )

    def state_root(self, height: int) -> bytes:
        return self.roots.get(height, keccak256(f"state {height}/{self.fork}".encode()))

    def _block_by_hash(self, request):
        (named, _) = request["params"]
        height = next((n for n in range(self.newest + 1) if "0x" + self.hash(n).hex() == named), None)
        if height is None:
            return result(request, None)
        return result(request, {"hash": named, "stateRoot": "0x" + self.state_root(height).hex()})

    def _call(self, request):
        transaction, where = request["params"]
        assert where["requireCanonical"] is True
        height = next((n for n in range(self.newest + 1) if "0x" + self.hash(n).hex() == where["blockHash"]), None)
        if height is None:
            return error(request, -32000, "unknown block")
        (calls,) = _decoded(["bytes[]"], bytes.fromhex(transaction["data"][10:]))
        words = [self.words.get(bytes(call[4:]), bytes(32)) for call in calls]
        return result(request, "0x" + _encoded(["bytes[]"], [words]).hex())


def _decoded(types, data):
    from eth_abi.abi import decode

    return decode(types, data)


def _encoded(types, values):
    from eth_abi.abi import encode

    return encode(types, values)


assert GET_COMMITMENT.inputs == ("bytes32",) and MULTICALL.outputs == ("bytes[]",)


def shown(document) -> str:
    return json.dumps(document)
