"""Evidence of a block as CometBFT's RPC prints it (amino JSON of types/evidence.go)."""

import base64
from typing import Any

from hutong.light_clients.tendermint.rpc_json import block_id_to_rpc, format_time
from hutong.relay.hub.consensus.evidence import decode_evidence
from hutong.relay.hub.consensus.types import Vote


def _vote_json(vote: Vote) -> dict[str, Any]:
    return {
        "type": int(vote.message_type),
        "height": str(vote.height),
        "round": vote.round,
        "block_id": block_id_to_rpc(vote.block_id),
        "timestamp": format_time(vote.timestamp_ns),
        "validator_address": vote.validator_address.hex().upper(),
        "validator_index": vote.validator_index,
        "signature": base64.b64encode(vote.signature).decode(),
        "extension": None,
        "extension_signature": None,
    }


def evidence_to_rpc(encoded: bytes) -> dict[str, Any]:
    """One encoded item of a block's evidence as CometBFT's RPC prints it, with powers and heights as text.

    Raises:
        MalformedInput: the bytes are not evidence.
    """
    item = decode_evidence(encoded)
    return {
        "type": "tendermint/DuplicateVoteEvidence",
        "value": {
            "vote_a": _vote_json(item.first),
            "vote_b": _vote_json(item.second),
            "TotalVotingPower": str(item.total_voting_power),
            "ValidatorPower": str(item.validator_power),
            "Timestamp": format_time(item.time_ns),
        },
    }
