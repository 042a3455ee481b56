"""CometBFT 0.38's RPC over HTTP: GET with URI parameters and JSON-RPC by POST, with CometBFT's own JSON.

Source: cometbft rpc/core/{routes,status,blocks,consensus,abci}.go, rpc/jsonrpc/server/*.go, libs/json.
"""

import base64
import binascii
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import trio

from light_clients.protobuf import ics23_pb2
from light_clients.tendermint.rpc_json import (
    block_id_to_rpc,
    commit_to_rpc,
    format_time,
    header_to_rpc,
    public_key_to_rpc,
    validator_to_rpc,
)
from light_clients.tendermint.types import BLOCK_PROTOCOL, PublicKey
from relay.hub.application.abci import ExecTxResult
from relay.hub.application.application import APPLICATION_NAME
from relay.hub.consensus.types import EMPTY_COMMIT
from relay.hub.node.block_records import BlockRecords, StoredBlock
from relay.hub.node.ledger import HubLedger

MAX_BODY_BYTES = 1_000_000
"""CometBFT's default max_body_bytes."""
MAX_QUERY_CHARS = 65_536
MAX_BATCH = 100
MAX_PER_PAGE = 100
DEFAULT_PER_PAGE = 30
COMETBFT_VERSION = "0.38.0"
P2P_PROTOCOL = 8
_INTEGER = re.compile(r"-?[0-9]{1,20}")
_SMT_PROOF_OP = "ics23:smt"

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class RpcError(Exception):
    """A JSON-RPC error object."""

    def __init__(self, code: int, message: str, data: str = "") -> None:
        self.code, self.message, self.data = code, message, data
        super().__init__(message, data)

    def as_json(self) -> dict[str, Any]:
        return {"code": self.code, "message": self.message, "data": self.data}


def _internal(data: str) -> RpcError:
    return RpcError(-32603, "Internal error", data)


def _invalid(data: str) -> RpcError:
    return RpcError(-32602, "Invalid params", data)


@dataclass(frozen=True, slots=True)
class Arguments:
    """Parameters by name. From a URI strings are quoted and bytes may be `0x…`; in JSON bytes are hex (or base64)."""

    values: Mapping[str, Any]
    from_uri: bool

    def _raw(self, name: str) -> Any:
        value = self.values.get(name)
        return None if value in (None, "") else value

    def integer(self, name: str) -> int | None:
        value = self._raw(name)
        if isinstance(value, str):
            value = value.strip('"') if self.from_uri else value
            if _INTEGER.fullmatch(value) is None:
                raise _invalid(f"{name} is not an integer")
            value = int(value)
        if value is not None and (type(value) is not int or not -(2**63) <= value < 2**63):
            raise _invalid(f"{name} is not an int64")
        return value

    def text(self, name: str) -> str:
        value = self._raw(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise _invalid(f"{name} is not a string")
        if self.from_uri:
            if not (len(value) >= 2 and value[0] == value[-1] == '"'):
                raise _invalid(f"{name} must be a quoted string")
            return value[1:-1]
        return value

    def data(self, name: str, *, base64_in_json: bool = False) -> bytes:
        value = self._raw(name)
        if value is None:
            return b""
        if not isinstance(value, str):
            raise _invalid(f"{name} is not a string")
        try:
            if self.from_uri:
                if value.startswith("0x"):
                    return bytes.fromhex(value[2:])
                if len(value) >= 2 and value[0] == value[-1] == '"':
                    return value[1:-1].encode()
                return bytes.fromhex(value)
            return base64.b64decode(value, validate=True) if base64_in_json else bytes.fromhex(value)
        except (ValueError, binascii.Error):
            raise _invalid(f"{name} is not bytes") from None

    def boolean(self, name: str) -> bool:
        value = self._raw(name)
        if value in (None, False, "false"):
            return False
        if value in (True, "true"):
            return True
        raise _invalid(f"{name} is not a boolean")


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _hex(data: bytes) -> str:
    return data.hex().upper()


def _exec_result(result: ExecTxResult) -> dict[str, Any]:
    """`ExecTxResult` as libs/json writes it: omitempty for zero values is off for these in 0.38."""
    return {
        "code": result.code,
        "data": _b64(result.data) if result.data else None,
        "log": result.log,
        "info": "",
        "gas_wanted": str(result.gas_wanted),
        "gas_used": str(result.gas_used),
        "events": [],
        "codespace": "",
    }


class CometBftMethods:
    """The methods, blocking: they run in worker threads over committed records."""

    def __init__(self, ledger: HubLedger, public_key: PublicKey) -> None:
        self._ledger = ledger
        self._records: BlockRecords = ledger.records
        self._public_key = public_key
        self.table: Mapping[str, tuple[tuple[str, ...], Callable[[Arguments], Any]]] = {
            "health": ((), lambda _: {}),
            "status": ((), self._status),
            "abci_info": ((), self._abci_info),
            "genesis": ((), self._genesis),
            "block": (("height",), self._block),
            "block_by_hash": (("hash",), self._block_by_hash),
            "header": (("height",), self._header),
            "block_results": (("height",), self._block_results),
            "commit": (("height",), self._commit),
            "validators": (("height", "page", "per_page"), self._validators),
            "consensus_params": (("height",), self._consensus_params),
            "abci_query": (("path", "data", "height", "prove"), self._abci_query),
        }

    def _height(self, arguments: Arguments, ahead: int = 0) -> int:
        latest = self._records.latest_height()
        height = arguments.integer("height")
        if height is None:
            return latest
        if height <= 0:
            raise _internal(f"height must be greater than 0, but got {height}")
        if height > latest + ahead:
            raise _internal(f"height {height} must be less than or equal to the current blockchain height {latest}")
        return height

    def _stored(self, height: int) -> StoredBlock:
        stored = self._records.block(height)
        if stored is None:
            raise _internal(f"no block at height {height}")
        return stored

    def _status(self, _: Arguments) -> Any:
        latest, tip = self._records.latest_height(), self._ledger.tip
        newest = self._records.block(latest)
        oldest = self._records.block(1)
        validators = self._records.validators(latest + 1)
        power = sum(
            validator.voting_power
            for validator in (() if validators is None else validators.validators)
            if validator.public_key == self._public_key
        )

        def end(stored: StoredBlock | None, name: str) -> dict[str, str]:
            header = None if stored is None else stored.block.header
            return {
                f"{name}_block_hash": "" if stored is None else _hex(stored.block_id.hash),
                f"{name}_app_hash": "" if header is None else _hex(header.app_hash),
                f"{name}_block_height": "0" if header is None else str(header.height),
                f"{name}_block_time": format_time(0 if header is None else header.time_ns),
            }

        return {
            "node_info": {
                "protocol_version": {
                    "p2p": str(P2P_PROTOCOL),
                    "block": str(BLOCK_PROTOCOL),
                    "app": str(tip.app_version),
                },
                "id": self._public_key.address.hex(),
                "listen_addr": "",
                "network": tip.chain_id,
                "version": COMETBFT_VERSION,
                "channels": "",
                "moniker": APPLICATION_NAME,
                "other": {"tx_index": "off", "rpc_address": ""},
            },
            "sync_info": {**end(newest, "latest"), **end(oldest, "earliest"), "catching_up": False},
            "validator_info": {
                "address": _hex(self._public_key.address),
                "pub_key": public_key_to_rpc(self._public_key),
                "voting_power": str(power),
            },
        }

    def _abci_info(self, _: Arguments) -> Any:
        info = self._ledger.application.info()
        return {
            "response": {
                "data": info.data,
                "version": info.version,
                "app_version": str(info.app_version),
                "last_block_height": str(max(info.last_block_height, 0)),
                "last_block_app_hash": _b64(info.last_block_app_hash),
            }
        }

    def _genesis(self, _: Arguments) -> Any:
        genesis = self._ledger.genesis
        return {
            "genesis": {
                "genesis_time": format_time(genesis.genesis_time_ns),
                "chain_id": genesis.chain_id,
                "initial_height": "1",
                "consensus_params": self._params_json(),
                "validators": [
                    {
                        "address": _hex(validator.public_key.address),
                        "pub_key": public_key_to_rpc(validator.public_key),
                        "power": str(validator.power),
                        "name": "",
                    }
                    for validator in genesis.validators
                ],
                "app_hash": "",
            }
        }

    def _params_json(self) -> Any:
        params = self._ledger.params
        return {
            "block": {"max_bytes": str(params.block_max_bytes), "max_gas": str(params.block_max_gas)},
            "evidence": {
                "max_age_num_blocks": str(params.evidence_max_age_blocks),
                "max_age_duration": str(params.evidence_max_age_ns),
                "max_bytes": str(params.evidence_max_bytes),
            },
            "validator": {"pub_key_types": list(params.pub_key_types)},
            "version": {"app": str(self._ledger.tip.app_version)},
            "abci": {"vote_extensions_enable_height": "0"},
        }

    def _consensus_params(self, arguments: Arguments) -> Any:
        return {"block_height": str(self._height(arguments, ahead=1)), "consensus_params": self._params_json()}

    def _block(self, arguments: Arguments) -> Any:
        return self._block_json(self._stored(self._height(arguments)))

    def _block_by_hash(self, arguments: Arguments) -> Any:
        height = self._records.height_of(arguments.data("hash", base64_in_json=True))
        if height is None:
            return {"block_id": {"hash": "", "parts": {"total": 0, "hash": ""}}, "block": None}
        return self._block_json(self._stored(height))

    def _block_json(self, stored: StoredBlock) -> Any:
        block = stored.block
        return {
            "block_id": block_id_to_rpc(stored.block_id),
            "block": {
                "header": header_to_rpc(block.header),
                "data": {"txs": [_b64(transaction) for transaction in block.transactions]},
                "evidence": {"evidence": []},
                "last_commit": commit_to_rpc(block.last_commit)
                if block.last_commit != EMPTY_COMMIT
                else {
                    "height": "0",
                    "round": 0,
                    "block_id": {"hash": "", "parts": {"total": 0, "hash": ""}},
                    "signatures": [],
                },
            },
        }

    def _header(self, arguments: Arguments) -> Any:
        return {"header": header_to_rpc(self._stored(self._height(arguments)).block.header)}

    def _block_results(self, arguments: Arguments) -> Any:
        height = self._height(arguments)
        results = self._records.results(height)
        if results is None:
            raise _internal(f"could not find results for height #{height}")
        return {
            "height": str(height),
            "txs_results": [_exec_result(item) for item in results.tx_results] or None,
            "finalize_block_events": None,
            "validator_updates": None,
            "consensus_param_updates": None,
            "app_hash": _b64(results.app_hash),
        }

    def _commit(self, arguments: Arguments) -> Any:
        height = self._height(arguments)
        stored = self._stored(height)
        # Below the head the canonical commit is the one in the next block; at the head the one that was seen.
        following = self._records.block(height + 1)
        commit = self._records.commit(height) if following is None else following.block.last_commit
        if commit is None:
            raise _internal(f"no commit at height {height}")
        return {
            "signed_header": {"header": header_to_rpc(stored.block.header), "commit": commit_to_rpc(commit)},
            "canonical": following is not None,
        }

    def _validators(self, arguments: Arguments) -> Any:
        height = self._height(arguments, ahead=1)
        validators = self._records.validators(height)
        if validators is None:
            raise _internal(f"no validators at height {height}")
        page, per_page = arguments.integer("page"), arguments.integer("per_page")
        size = DEFAULT_PER_PAGE if per_page is None or per_page < 1 else min(per_page, MAX_PER_PAGE)
        total = len(validators.validators)
        pages = max((total + size - 1) // size, 1)
        page = 1 if page is None else page
        if not 1 <= page <= pages:
            raise _internal(f"page should be within [1, {pages}] range, given {page}")
        shown = validators.validators[(page - 1) * size : page * size]
        return {
            "block_height": str(height),
            "validators": [validator_to_rpc(validator) for validator in shown],
            "count": str(len(shown)),
            "total": str(total),
        }

    def _abci_query(self, arguments: Arguments) -> Any:
        height = arguments.integer("height") or 0
        if height < 0:
            raise _internal("height cannot be negative")
        answer = self._ledger.application.query(
            arguments.text("path"), arguments.data("data"), height, prove=arguments.boolean("prove")
        )
        proof_ops = None
        if answer.proof:
            message = ics23_pb2.MerkleProof.FromString(answer.proof)
            proof_ops = {
                "ops": [
                    {
                        "type": _SMT_PROOF_OP,
                        "key": _b64(answer.key),
                        "data": _b64(proof.SerializeToString(deterministic=True)),
                    }
                    for proof in message.proofs
                ]
            }
        return {
            "response": {
                "code": answer.code,
                "log": answer.log,
                "info": "",
                "index": "0",
                "key": _b64(answer.key) if answer.key else None,
                "value": _b64(answer.value) if answer.value else None,
                "proofOps": proof_ops,
                "height": str(answer.height),
                "codespace": "",
            }
        }


class CometBftRpcApp:
    """An ASGI application for `relay.evm.server.serve`."""

    def __init__(self, methods: CometBftMethods) -> None:
        self._methods = methods
        self._readers = trio.CapacityLimiter(4)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            while True:
                message = await receive()
                await send({"type": f"{message['type']}.complete"})
                if message["type"] == "lifespan.shutdown":
                    return
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        elif scope["method"] == "GET":
            await self._get(scope, send)
        elif scope["method"] == "POST":
            await self._post(receive, send)
        else:
            await _respond(send, 405, b"GET or POST\n", b"text/plain")

    async def _get(self, scope: Message, send: Send) -> None:
        name = scope["path"].strip("/")
        if name == "":
            listing = "\n".join(
                f"/{method}?{'&'.join(f'{n}=_' for n in names)}"
                for method, (names, _) in sorted(self._methods.table.items())
            )
            await _respond(send, 200, listing.encode() + b"\n", b"text/plain")
            return
        if name not in self._methods.table:
            await _respond(send, 404, b"404 page not found\n", b"text/plain")
            return
        query = scope["query_string"][:MAX_QUERY_CHARS].decode("latin-1")
        values = dict(parse_qsl(query, keep_blank_values=True, max_num_fields=16))
        answer = await self._call(-1, name, Arguments(values, from_uri=True))
        await _respond(send, 500 if "error" in answer else 200, _encode(answer))

    async def _post(self, receive: Receive, send: Send) -> None:
        body = await _body(receive)
        if body is None:
            await _respond(send, 413, b"body too large\n", b"text/plain")
            return
        try:
            document = json.loads(body)
        except (ValueError, RecursionError):
            await _respond(send, 500, _encode(_error(-1, RpcError(-32700, "Parse error. Invalid JSON"))))
            return
        requests = document if isinstance(document, list) else [document]
        if not 0 < len(requests) <= MAX_BATCH:
            await _respond(send, 500, _encode(_error(-1, RpcError(-32600, "Invalid Request", "batch size"))))
            return
        answers = [await self._answer(request) for request in requests]
        await _respond(send, 200, _encode(answers if isinstance(document, list) else answers[0]))

    async def _answer(self, request: Any) -> dict[str, Any]:
        identifier = request.get("id", -1) if isinstance(request, dict) else -1
        if not isinstance(identifier, int | str) or not isinstance(request, dict):
            return _error(-1, RpcError(-32600, "Invalid Request"))
        name = request.get("method")
        if not isinstance(name, str) or name not in self._methods.table:
            return _error(identifier, RpcError(-32601, "Method not found"))
        params = request.get("params") or {}
        names = self._methods.table[name][0]
        if isinstance(params, list):
            params = dict(zip(names, params, strict=False))
        if not isinstance(params, dict):
            return _error(identifier, _invalid("params"))
        return await self._call(identifier, name, Arguments(params, from_uri=False))

    async def _call(self, identifier: int | str, name: str, arguments: Arguments) -> dict[str, Any]:
        method = self._methods.table[name][1]
        try:
            result = await trio.to_thread.run_sync(method, arguments, limiter=self._readers)
        except RpcError as error:
            return _error(identifier, error)
        return {"jsonrpc": "2.0", "id": identifier, "result": result}


def _error(identifier: int | str, error: RpcError) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": identifier, "error": error.as_json()}


def _encode(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


async def _body(receive: Receive) -> bytes | None:
    chunks, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            return None
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)


async def _respond(send: Send, status: int, body: bytes, content_type: bytes = b"application/json") -> None:
    headers = [(b"content-type", content_type), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
