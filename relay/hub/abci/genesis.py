"""CometBFT's genesis document of a hub: written by `hub init`, and checked field by field when CometBFT calls InitChain.

Everything in it follows from the hub's own genesis.json. The application state names that document by its digest.
"""

import json
from typing import Any

from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, MalformedInput
from hutong.light_clients.interface.json_text import parse_json
from hutong.light_clients.protobuf import abci_pb2
from hutong.light_clients.tendermint.rpc_json import format_time, public_key_to_rpc
from hutong.relay.hub.application.genesis import Genesis
from hutong.relay.hub.home.params import consensus_params

DIGEST_FIELD = "hutong_genesis_sha256"
INITIAL_HEIGHT = 1
MAX_APP_STATE_BYTES = 1_024


class GenesisDiffers(Exception):
    """CometBFT starts another chain than the hub's genesis.json describes: one sentence names the field."""

    def __init__(self, field: str, got: object, expected: object) -> None:
        super().__init__(f"CometBFT's genesis.json: {field} is {got}, but the hub's genesis.json makes it {expected}")
        self.field, self.got, self.expected = field, got, expected


class RevisionUnsupported(Exception):
    """The genesis goes on from an earlier revision, which CometBFT's blocks cannot: one sentence."""


def require_first_revision(genesis: Genesis) -> None:
    """CometBFT would begin the chain anew at height 1, without the state that such a genesis goes on from.

    Raises:
        RevisionUnsupported: the genesis continues an earlier revision.
    """
    if genesis.continues is not None:
        raise RevisionUnsupported(
            f"not supported: {genesis.chain_id} continues {genesis.continues.chain_id} after block"
            f" {genesis.continues.height}, and a hub under CometBFT has one revision; run it on the embedded engine"
        )


def cometbft_genesis(genesis: Genesis) -> bytes:
    """The document (cometbft types/genesis.go), in CometBFT's JSON: 64-bit numbers are text."""
    params = consensus_params(genesis)
    document = {
        "genesis_time": format_time(genesis.genesis_time_ns),
        "chain_id": genesis.chain_id,
        "initial_height": str(INITIAL_HEIGHT),
        "consensus_params": {
            "block": {"max_bytes": str(params.block_max_bytes), "max_gas": str(params.block_max_gas)},
            "evidence": {
                "max_age_num_blocks": str(params.evidence_max_age_blocks),
                "max_age_duration": str(params.evidence_max_age_ns),
                "max_bytes": str(params.evidence_max_bytes),
            },
            "validator": {"pub_key_types": list(params.pub_key_types)},
            "version": {"app": str(genesis.rules_version)},
            "abci": {"vote_extensions_enable_height": "0"},
        },
        "validators": [
            {
                "address": validator.public_key.address.hex().upper(),
                "pub_key": public_key_to_rpc(validator.public_key),
                "power": str(validator.power),
                "name": "",
            }
            for validator in genesis.validators
        ],
        "app_hash": "",
        "app_state": {DIGEST_FIELD: genesis.digest.hex()},
    }
    return json.dumps(document, indent=2).encode() + b"\n"


def check_genesis(genesis: Genesis, request: abci_pb2.RequestInitChain) -> None:
    """Compare what CometBFT starts with what the hub's genesis makes of it, field by field.

    Raises:
        GenesisDiffers: the first field that differs, with both values.
    """
    params = consensus_params(genesis)
    asked = request.consensus_params
    for field, got, expected in (
        ("chain_id", request.chain_id, genesis.chain_id),
        (
            "genesis_time",
            format_time(request.time.seconds * NANOSECONDS_PER_SECOND + request.time.nanos),
            format_time(genesis.genesis_time_ns),
        ),
        ("initial_height", request.initial_height, INITIAL_HEIGHT),
        ("consensus_params.block.max_bytes", asked.block.max_bytes, params.block_max_bytes),
        ("consensus_params.block.max_gas", asked.block.max_gas, params.block_max_gas),
        (
            "consensus_params.evidence.max_age_num_blocks",
            asked.evidence.max_age_num_blocks,
            params.evidence_max_age_blocks,
        ),
        (
            "consensus_params.evidence.max_age_duration",
            asked.evidence.max_age_duration.ToNanoseconds(),
            params.evidence_max_age_ns,
        ),
        ("consensus_params.evidence.max_bytes", asked.evidence.max_bytes, params.evidence_max_bytes),
        (
            "consensus_params.validator.pub_key_types",
            list(asked.validator.pub_key_types),
            list(params.pub_key_types),
        ),
        ("consensus_params.version.app", asked.version.app, genesis.rules_version),
        ("consensus_params.abci.vote_extensions_enable_height", asked.abci.vote_extensions_enable_height, 0),
        ("validators", _powers_asked(request), _powers(genesis)),
        (f"app_state.{DIGEST_FIELD}", _digest(request.app_state_bytes), genesis.digest.hex()),
    ):
        if got != expected:
            raise GenesisDiffers(field, got, expected)


def _powers(genesis: Genesis) -> dict[str, int]:
    found = {validator.public_key.data.hex(): validator.power for validator in genesis.validators}
    return dict(sorted(found.items()))


def _powers_asked(request: abci_pb2.RequestInitChain) -> dict[str, int]:
    """By key; a key of another type than the hub's shows itself by its type."""
    found = {
        update.pub_key.secp256k1.hex() or f"{update.pub_key.WhichOneof('sum')} key": update.power
        for update in request.validators
    }
    return dict(sorted(found.items()))


def _digest(app_state: bytes) -> Any:
    try:
        document = parse_json(app_state, "app_state", MAX_APP_STATE_BYTES)
    except MalformedInput:
        return "unreadable"
    return document.get(DIGEST_FIELD, "missing") if isinstance(document, dict) else "not an object"
