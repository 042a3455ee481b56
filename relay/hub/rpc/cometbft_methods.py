"""CometBFT 0.38's RPC methods over the hub's records, in CometBFT's own JSON.

Source: cometbft rpc/core/{routes,status,blocks,consensus,abci}.go, libs/json.
"""

import base64
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from hutong.light_clients.protobuf import ics23_pb2
from hutong.light_clients.tendermint.rpc_json import (
    block_id_to_rpc,
    commit_to_rpc,
    format_time,
    header_to_rpc,
    public_key_to_rpc,
    validator_to_rpc,
)
from hutong.light_clients.tendermint.types import BLOCK_PROTOCOL, PublicKey
from hutong.relay.hub.application.abci import ExecTxResult, ValidatorUpdate
from hutong.relay.hub.application.application import APPLICATION_NAME
from hutong.relay.hub.chain.block_records import BlockRecords, StoredBlock, StoredHeader
from hutong.relay.hub.chain.ledger import HubLedger
from hutong.relay.hub.consensus.types import EMPTY_COMMIT
from hutong.relay.hub.rpc.cometbft_parameters import Arguments, internal_error
from hutong.relay.hub.rpc.evidence_json import evidence_to_rpc

MAX_PER_PAGE = 100
DEFAULT_PER_PAGE = 30
COMETBFT_VERSION = "0.38.0"
P2P_PROTOCOL = 8
_SMT_PROOF_OP = "ics23:smt"
MethodTable: TypeAlias = Mapping[str, tuple[tuple[str, ...], Callable[[Arguments], Any]]]


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


def _validator_update(update: ValidatorUpdate) -> dict[str, Any]:
    """`ValidatorUpdate` as libs/json writes it, where a power of 0 is left out."""
    key = {"type": "tendermint.crypto.PublicKey_Secp256K1", "value": {"secp256k1": _b64(update.public_key.data)}}
    row: dict[str, Any] = {"pub_key": {"Sum": key}}
    return {**row, "power": str(update.power)} if update.power else row


class CometBftMethods:
    """The methods, blocking: they run in worker threads over committed records."""

    def __init__(
        self,
        ledger: HubLedger,
        public_key: PublicKey,
        more: MethodTable | None = None,
        *,
        node_id: str = "",
        listen_address: str = "",
    ) -> None:
        """`more`: methods that CometBFT does not have. `node_id` and `listen_address` are those among peers, for whom has some."""
        self._node_id = node_id or public_key.address.hex()
        self._listen_address = listen_address
        self._ledger = ledger
        self._records: BlockRecords = ledger.records
        self._public_key = public_key
        self.table: MethodTable = {
            **(more or {}),
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
            raise internal_error(f"height must be greater than 0, but got {height}")
        first = self._records.first_height()
        if height < first:
            raise internal_error(f"height {height} is not available, lowest height is {first}")
        if height > latest + ahead:
            raise internal_error(
                f"height {height} must be less than or equal to the current blockchain height {latest}"
            )
        return height

    def _stored(self, height: int) -> StoredBlock:
        self._require_body(height)
        stored = self._records.block(height)
        if stored is None:
            raise internal_error(f"no block at height {height}")
        return stored

    def _require_body(self, height: int) -> None:
        first = self._records.first_body()
        if height < first:
            raise internal_error(
                f"block {height} is pruned to its header on this node, the lowest height with transactions is {first}"
            )

    def _stored_header(self, height: int) -> StoredHeader:
        stored = self._records.header(height)
        if stored is None:
            raise internal_error(f"no block at height {height}")
        return stored

    def _status(self, _: Arguments) -> Any:
        latest, tip = self._records.latest_height(), self._ledger.tip
        newest = self._records.header(latest)
        oldest = self._records.header(self._records.first_height())
        validators = self._records.validators(latest + 1)
        power = sum(
            validator.voting_power
            for validator in (() if validators is None else validators.validators)
            if validator.public_key == self._public_key
        )

        def end(stored: StoredHeader | None, name: str) -> dict[str, str]:
            header = None if stored is None else stored.header
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
                "id": self._node_id,
                "listen_addr": self._listen_address,
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
                "evidence": {"evidence": [evidence_to_rpc(item) for item in block.evidence]},
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
        return {"header": header_to_rpc(self._stored_header(self._height(arguments)).header)}

    def _block_results(self, arguments: Arguments) -> Any:
        height = self._height(arguments)
        self._require_body(height)
        results = self._records.results(height)
        if results is None:
            raise internal_error(f"could not find results for height #{height}")
        return {
            "height": str(height),
            "txs_results": [_exec_result(item) for item in results.tx_results] or None,
            "finalize_block_events": None,
            "validator_updates": [_validator_update(item) for item in results.validator_updates] or None,
            "consensus_param_updates": None,
            "app_hash": _b64(results.app_hash),
        }

    def _commit(self, arguments: Arguments) -> Any:
        height = self._height(arguments)
        stored = self._stored_header(height)
        # Below the head the canonical commit is the one in the next block; at the head the one that was seen. Where the next
        # block's body is pruned, its commit has taken the place of the one that was seen.
        following = self._records.block(height + 1)
        commit = self._records.commit(height) if following is None else following.block.last_commit
        if commit is None:
            raise internal_error(f"no commit at height {height}")
        return {
            "signed_header": {"header": header_to_rpc(stored.header), "commit": commit_to_rpc(commit)},
            "canonical": height < self._records.latest_height(),
        }

    def _validators(self, arguments: Arguments) -> Any:
        height = self._height(arguments, ahead=1)
        validators = self._records.validators(height)
        if validators is None:
            raise internal_error(f"no validators at height {height}")
        page, per_page = arguments.integer("page"), arguments.integer("per_page")
        size = DEFAULT_PER_PAGE if per_page is None or per_page < 1 else min(per_page, MAX_PER_PAGE)
        total = len(validators.validators)
        pages = max((total + size - 1) // size, 1)
        page = 1 if page is None else page
        if not 1 <= page <= pages:
            raise internal_error(f"page should be within [1, {pages}] range, given {page}")
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
            raise internal_error("height cannot be negative")
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
