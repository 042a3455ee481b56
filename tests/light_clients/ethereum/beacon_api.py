"""Light client objects and networks as a beacon node's API shows them."""

from hutong.light_clients.ethereum import Network
from hutong.light_clients.ethereum.types import BeaconBlockHeader, Bootstrap, LightClientHeader, SyncCommittee, Update


def text(data: bytes) -> str:
    return f"0x{data.hex()}"


def beacon_object(header: BeaconBlockHeader) -> dict:
    roots = {name: text(getattr(header, name)) for name in ("parent_root", "state_root", "body_root")}
    return {"slot": str(header.slot), "proposer_index": str(header.proposer_index)} | roots


def header_object(header: LightClientHeader) -> dict:
    execution = {}
    for name in header.execution.__dataclass_fields__:
        value = getattr(header.execution, name)
        key = {"timestamp_s": "timestamp", "base_fee_per_gas_wei": "base_fee_per_gas"}.get(name, name)
        execution[key] = text(value) if isinstance(value, bytes) else str(value)
    branch = list(map(text, header.execution_branch))
    return {"beacon": beacon_object(header.beacon), "execution": execution, "execution_branch": branch}


def committee_object(committee: SyncCommittee) -> dict:
    keys = [text(committee.pubkeys[at : at + 48]) for at in range(0, len(committee.pubkeys), 48)]
    return {"pubkeys": keys, "aggregate_pubkey": text(committee.aggregate_pubkey)}


def update_object(update: Update) -> dict:
    value = {
        "attested_header": header_object(update.attested_header),
        "sync_aggregate": {
            "sync_committee_bits": text(update.sync_aggregate.bits),
            "sync_committee_signature": text(update.sync_aggregate.signature),
        },
        "signature_slot": str(update.signature_slot),
    }
    if update.finalized_header is not None:
        value["finalized_header"] = header_object(update.finalized_header)
        value["finality_branch"] = list(map(text, update.finality_branch))
    if update.next_sync_committee is not None:
        value["next_sync_committee"] = committee_object(update.next_sync_committee)
        value["next_sync_committee_branch"] = list(map(text, update.next_sync_committee_branch))
    return value


def bootstrap_object(bootstrap: Bootstrap) -> dict:
    return {
        "header": header_object(bootstrap.header),
        "current_sync_committee": committee_object(bootstrap.current_sync_committee),
        "current_sync_committee_branch": list(map(text, bootstrap.current_sync_committee_branch)),
    }


def spec_of(network: Network) -> dict:
    spec = {
        "SLOTS_PER_EPOCH": str(network.preset.slots_per_epoch),
        "EPOCHS_PER_SYNC_COMMITTEE_PERIOD": str(network.preset.epochs_per_sync_committee_period),
        "SYNC_COMMITTEE_SIZE": str(network.preset.sync_committee_size),
        "SECONDS_PER_SLOT": str(network.seconds_per_slot),
        "HEZE_FORK_EPOCH": "18446744073709551615",
        "GENESIS_FORK_VERSION": text(network.forks[0].version),
    }
    for activation in network.forks[1:]:
        spec[f"{activation.fork.name}_FORK_VERSION"] = text(activation.version)
        spec[f"{activation.fork.name}_FORK_EPOCH"] = str(activation.epoch)
    return spec


def genesis_of(network: Network) -> dict:
    return {
        "genesis_time": str(network.genesis_time_s),
        "genesis_validators_root": text(network.genesis_validators_root),
    }
