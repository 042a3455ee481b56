"""Light client objects and networks in the JSON of the Beacon API, as a node writes them."""

import json
from typing import Any

from hutong.light_clients.crypto.bls import PUBLIC_KEY_BYTES
from hutong.light_clients.ethereum import Bootstrap, LightClientHeader, Network, SyncCommittee, Update

_NAMES = {"timestamp_s": "timestamp", "base_fee_per_gas_wei": "base_fee_per_gas"}


def _text(data: bytes) -> str:
    return f"0x{data.hex()}"


def _members(value: Any) -> dict[str, str]:
    members = {}
    for name in value.__dataclass_fields__:
        member = getattr(value, name)
        members[_NAMES.get(name, name)] = _text(member) if isinstance(member, bytes) else str(member)
    return members


def header_object(header: LightClientHeader) -> dict[str, Any]:
    """A LightClientHeader with an execution payload."""
    return {
        "beacon": _members(header.beacon),
        "execution": _members(header.execution),
        "execution_branch": list(map(_text, header.execution_branch)),
    }


def committee_object(committee: SyncCommittee) -> dict[str, Any]:
    """A SyncCommittee, its public keys in the order of its members."""
    keys = committee.pubkeys
    return {
        "pubkeys": [_text(keys[at : at + PUBLIC_KEY_BYTES]) for at in range(0, len(keys), PUBLIC_KEY_BYTES)],
        "aggregate_pubkey": _text(committee.aggregate_pubkey),
    }


def update_object(update: Update) -> dict[str, Any]:
    """A LightClientUpdate, or without a next committee a LightClientFinalityUpdate (consensus-specs
    altair/light-client).
    """
    value: dict[str, Any] = {
        "attested_header": header_object(update.attested_header),
        "sync_aggregate": {
            "sync_committee_bits": _text(update.sync_aggregate.bits),
            "sync_committee_signature": _text(update.sync_aggregate.signature),
        },
        "signature_slot": str(update.signature_slot),
        "finality_branch": list(map(_text, update.finality_branch)),
    }
    if update.finalized_header is not None:
        value["finalized_header"] = header_object(update.finalized_header)
    if update.next_sync_committee is not None:
        value["next_sync_committee"] = committee_object(update.next_sync_committee)
        value["next_sync_committee_branch"] = list(map(_text, update.next_sync_committee_branch))
    return value


def bootstrap_object(bootstrap: Bootstrap) -> dict[str, Any]:
    """A LightClientBootstrap (consensus-specs altair/light-client)."""
    return {
        "header": header_object(bootstrap.header),
        "current_sync_committee": committee_object(bootstrap.current_sync_committee),
        "current_sync_committee_branch": list(map(_text, bootstrap.current_sync_committee_branch)),
    }


def spec_object(network: Network) -> dict[str, str]:
    """The part of `/eth/v1/config/spec` that describes a network."""
    preset = network.preset
    spec = {
        "SLOTS_PER_EPOCH": str(preset.slots_per_epoch),
        "EPOCHS_PER_SYNC_COMMITTEE_PERIOD": str(preset.epochs_per_sync_committee_period),
        "SYNC_COMMITTEE_SIZE": str(preset.sync_committee_size),
        "SECONDS_PER_SLOT": str(network.seconds_per_slot),
        "GENESIS_FORK_VERSION": _text(network.forks[0].version),
    }
    for activation in network.forks[1:]:
        spec[f"{activation.fork.name}_FORK_VERSION"] = _text(activation.version)
        spec[f"{activation.fork.name}_FORK_EPOCH"] = str(activation.epoch)
    return spec


def genesis_object(network: Network) -> dict[str, str]:
    """What `/eth/v1/beacon/genesis` answers; the time in seconds, as text."""
    return {
        "genesis_time": str(network.genesis_time_s),
        "genesis_validators_root": _text(network.genesis_validators_root),
        "genesis_fork_version": _text(network.forks[0].version),
    }


def network_document(network: Network) -> str:
    """A file that `network` in a relay's configuration, and `hutong verify ethereum --network`, read."""
    return json.dumps({"spec": spec_object(network), "genesis": genesis_object(network)}, indent=1) + "\n"
