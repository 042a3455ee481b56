"""JSON of the Beacon API: light client objects, and a network's schedule as its node tells it.

Integers are decimal texts there; plain numbers, which other tools write, are read as well. Unknown keys are ignored. Nothing
is believed: what comes out is judged like what SSZ gives.
"""

import re
from collections.abc import Mapping
from typing import Any

from hutong.light_clients.crypto.bls import PUBLIC_KEY_BYTES, SIGNATURE_BYTES
from hutong.light_clients.ethereum.forks import NEWEST_FORK, NEWEST_OFFERED, Fork, ForkActivation, Network, Preset
from hutong.light_clients.ethereum.ssz import EMPTY_HEADER, header_of_container, update_of_containers
from hutong.light_clients.ethereum.types import (
    LOGS_BLOOM_BYTES,
    MAX_EXTRA_DATA_BYTES,
    BeaconBlockHeader,
    Bootstrap,
    ExecutionPayloadHeader,
    LightClientHeader,
    SyncAggregate,
    SyncCommittee,
    Update,
)
from hutong.light_clients.interface import MalformedInput, UnsupportedOperation
from hutong.light_clients.interface.height import MAX_UINT64
from hutong.light_clients.proofs.ssz import MAX_BRANCH_NODES

MAX_UPDATES = 128
"""MAX_REQUEST_LIGHT_CLIENT_UPDATES: what a node answers at most."""
FAR_FUTURE_EPOCH = MAX_UINT64

_HEX = re.compile(r"(0x)?([0-9a-fA-F]*)")
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,77}")
_FORK_NAMES = {fork.name.lower(): fork for fork in Fork}


def _object(value: Any, field: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise MalformedInput(field, "is not an object", got=value)
    return value


def _member(value: Mapping[str, Any], key: str, field: str) -> Any:
    if value.get(key) is None:
        raise MalformedInput(f"{field}.{key}", "is missing")
    return value[key]


def hex_bytes(value: Any, field: str, size: int | None = None, max_size: int | None = None) -> bytes:
    """Hex of either case, with or without 0x: exactly `size` bytes, or at most `max_size`.

    Raises:
        MalformedInput: not a text, not hex, or not of that size.
    """
    bound = size if max_size is None else max_size
    if not isinstance(value, str) or (bound is not None and len(value) > 2 + 2 * bound):
        raise MalformedInput(field, "is not hex of its size", got=value)
    match = _HEX.fullmatch(value)
    if match is None or len(match[2]) % 2 or (size is not None and len(match[2]) != 2 * size):
        raise MalformedInput(field, "is not hex of its size", got=value)
    return bytes.fromhex(match[2])


def integer(value: Any, field: str, most: int = MAX_UINT64) -> int:
    """A decimal text without leading zeros, or a number; from 0 to `most`.

    Raises:
        MalformedInput: another form, or out of bounds.
    """
    if isinstance(value, str) and len(value) <= 80 and _DECIMAL.fullmatch(value):
        number = int(value)
    elif isinstance(value, int) and not isinstance(value, bool):
        number = value
    else:
        raise MalformedInput(field, "is not a decimal integer", got=value)
    if not 0 <= number <= most:
        raise MalformedInput(field, f"is not within 0 and {most}", got=number)
    return number


def fork_named(name: Any, field: str = "version") -> Fork:
    """The fork of a `version` in an answer's envelope, such as `deneb`.

    Raises:
        MalformedInput: no fork has this name.
        UnsupportedOperation: light client containers of this fork are not read: Phase 0, or a fork after Fulu.
    """
    fork = _FORK_NAMES.get(name) if isinstance(name, str) else None
    if fork is None:
        raise MalformedInput(field, "is no known fork", got=name)
    if not Fork.ALTAIR <= fork <= NEWEST_FORK:
        raise UnsupportedOperation(f"light client containers of {fork.name}", NEWEST_OFFERED)
    return fork


def beacon_header(value: Any, field: str = "beacon") -> BeaconBlockHeader:
    """A BeaconBlockHeader: slot, proposer and three roots of 32 bytes.

    Raises:
        MalformedInput: a key is missing, or a value is not of its form (named).
    """
    header = _object(value, field)
    return BeaconBlockHeader(
        integer(_member(header, "slot", field), f"{field}.slot"),
        integer(_member(header, "proposer_index", field), f"{field}.proposer_index"),
        *(
            hex_bytes(_member(header, name, field), f"{field}.{name}", 32)
            for name in ("parent_root", "state_root", "body_root")
        ),
    )


_EXECUTION_SIZES = {
    "parent_hash": 32,
    "fee_recipient": 20,
    "state_root": 32,
    "receipts_root": 32,
    "logs_bloom": LOGS_BLOOM_BYTES,
    "prev_randao": 32,
    "block_hash": 32,
    "transactions_root": 32,
}


def execution_payload_header(value: Any, fork: Fork, field: str = "execution") -> ExecutionPayloadHeader:
    """An ExecutionPayloadHeader as `fork` has it: before Capella without withdrawals, before Deneb without blob gas.

    Raises:
        MalformedInput: a key is missing, or a value is not of its form and size (named).
    """
    header = _object(value, field)
    parts: dict[str, Any] = {
        name: hex_bytes(_member(header, name, field), f"{field}.{name}", size)
        for name, size in _EXECUTION_SIZES.items()
    }
    for name in ("block_number", "gas_limit", "gas_used"):
        parts[name] = integer(_member(header, name, field), f"{field}.{name}")
    if fork >= Fork.DENEB:
        for name in ("blob_gas_used", "excess_blob_gas"):
            parts[name] = integer(_member(header, name, field), f"{field}.{name}")
    parts["withdrawals_root"] = (
        hex_bytes(_member(header, "withdrawals_root", field), f"{field}.withdrawals_root", 32)
        if fork >= Fork.CAPELLA
        else bytes(32)
    )
    return ExecutionPayloadHeader(
        timestamp_s=integer(_member(header, "timestamp", field), f"{field}.timestamp"),
        extra_data=hex_bytes(
            _member(header, "extra_data", field), f"{field}.extra_data", max_size=MAX_EXTRA_DATA_BYTES
        ),
        base_fee_per_gas_wei=integer(
            _member(header, "base_fee_per_gas", field), f"{field}.base_fee_per_gas", 2**256 - 1
        ),
        **parts,
    )


def branch(value: Any, field: str) -> tuple[bytes, ...]:
    """A list of at most `MAX_BRANCH_NODES` nodes of 32 bytes; its length is judged with the generalized index.

    Raises:
        MalformedInput: no list, too long, or a node that is not 32 bytes.
    """
    if not isinstance(value, list) or len(value) > MAX_BRANCH_NODES:
        raise MalformedInput(field, f"is not a list of at most {MAX_BRANCH_NODES} nodes", got=value)
    return tuple(hex_bytes(node, f"{field}[{index}]", 32) for index, node in enumerate(value))


def light_client_header(value: Any, fork: Fork, field: str) -> LightClientHeader:
    """A LightClientHeader in the containers of `fork`; before Capella without a payload header.

    Raises:
        MalformedInput: a key is missing, or a value is not of its form (named).
    """
    header = _object(value, field)
    beacon = beacon_header(_member(header, "beacon", field), f"{field}.beacon")
    if fork < Fork.CAPELLA:
        return LightClientHeader(beacon)
    return header_of_container(
        beacon,
        execution_payload_header(_member(header, "execution", field), fork, f"{field}.execution"),
        branch(_member(header, "execution_branch", field), f"{field}.execution_branch"),
    )


def sync_committee(value: Any, preset: Preset, field: str = "sync_committee") -> SyncCommittee:
    """A SyncCommittee of the preset's size. Whether its keys are points is judged later.

    Raises:
        MalformedInput: another number of keys, or one that is not 48 bytes.
    """
    committee = _object(value, field)
    pubkeys = _member(committee, "pubkeys", field)
    size = preset.sync_committee_size
    if not isinstance(pubkeys, list) or len(pubkeys) != size:
        raise MalformedInput(f"{field}.pubkeys", f"is not a list of {size} keys", got=pubkeys)
    keys = (hex_bytes(key, f"{field}.pubkeys[{index}]", PUBLIC_KEY_BYTES) for index, key in enumerate(pubkeys))
    aggregate = hex_bytes(_member(committee, "aggregate_pubkey", field), f"{field}.aggregate_pubkey", PUBLIC_KEY_BYTES)
    return SyncCommittee(b"".join(keys), aggregate)


def sync_aggregate(value: Any, preset: Preset, field: str = "sync_aggregate") -> SyncAggregate:
    """A SyncAggregate of the preset's size: one bit a member and a signature of 96 bytes.

    Raises:
        MalformedInput: a key is missing, or a value is not of its size.
    """
    aggregate = _object(value, field)
    return SyncAggregate(
        hex_bytes(
            _member(aggregate, "sync_committee_bits", field),
            f"{field}.sync_committee_bits",
            preset.sync_committee_size // 8,
        ),
        hex_bytes(
            _member(aggregate, "sync_committee_signature", field), f"{field}.sync_committee_signature", SIGNATURE_BYTES
        ),
    )


def bootstrap(value: Any, fork: Fork, preset: Preset) -> Bootstrap:
    """A LightClientBootstrap, without its envelope.

    Raises:
        MalformedInput: a key is missing, or a value is not of its form and size (named).
    """
    field = "bootstrap"
    data = _object(value, field)
    return Bootstrap(
        light_client_header(_member(data, "header", field), fork, f"{field}.header"),
        sync_committee(_member(data, "current_sync_committee", field), preset, f"{field}.current_sync_committee"),
        branch(_member(data, "current_sync_committee_branch", field), f"{field}.current_sync_committee_branch"),
    )


def update(value: Any, fork: Fork, preset: Preset) -> Update:
    """A LightClientUpdate, or one of the smaller updates: what a key would hold and is missing, it does not bring.

    Raises:
        MalformedInput: a key is missing, a value is not of its form, or a committee or header comes without its branch.
    """
    field = "update"
    data = _object(value, field)
    committee: SyncCommittee | None = None
    committee_branch: tuple[bytes, ...] = ()
    if data.get("next_sync_committee") is not None:
        committee = sync_committee(data["next_sync_committee"], preset, f"{field}.next_sync_committee")
        committee_branch = branch(
            _member(data, "next_sync_committee_branch", field), f"{field}.next_sync_committee_branch"
        )
    finalized = EMPTY_HEADER
    finality_branch: tuple[bytes, ...] = ()
    if data.get("finalized_header") is not None:
        finalized = light_client_header(data["finalized_header"], fork, f"{field}.finalized_header")
        finality_branch = branch(_member(data, "finality_branch", field), f"{field}.finality_branch")
    return update_of_containers(
        light_client_header(_member(data, "attested_header", field), fork, f"{field}.attested_header"),
        finalized,
        finality_branch,
        sync_aggregate(_member(data, "sync_aggregate", field), preset, f"{field}.sync_aggregate"),
        integer(_member(data, "signature_slot", field), f"{field}.signature_slot"),
        committee,
        committee_branch,
    )


def network_from_beacon_api(spec: Any, genesis: Any) -> Network:
    """The network that `/eth/v1/config/spec` and `/eth/v1/beacon/genesis` describe, envelopes taken off.

    Forks that are not scheduled are left out, forks of no known name too: headers under their rules will not verify.

    Raises:
        MalformedInput: a value is missing or out of the bounds of `Network` (named).
        UnsupportedOperation: slots that are not whole seconds.
    """
    values, start = _object(spec, "spec"), _object(genesis, "genesis")

    def number(name: str) -> int:
        return integer(_member(values, name, "spec"), f"spec.{name}")

    forks = [ForkActivation(Fork.PHASE0, hex_bytes(_member(values, "GENESIS_FORK_VERSION", "spec"), "spec", 4), 0)]
    for fork in Fork:
        name = f"{fork.name}_FORK_EPOCH"
        if fork is Fork.PHASE0 or values.get(name) is None or number(name) == FAR_FUTURE_EPOCH:
            continue
        version = hex_bytes(_member(values, f"{fork.name}_FORK_VERSION", "spec"), f"spec.{fork.name}_FORK_VERSION", 4)
        forks.append(ForkActivation(fork, version, number(name)))
    if values.get("SECONDS_PER_SLOT") is not None:
        seconds_per_slot = number("SECONDS_PER_SLOT")
    else:
        seconds_per_slot, rest = divmod(number("SLOT_DURATION_MS"), 1_000)
        if rest:
            raise UnsupportedOperation("slots that are no whole seconds")
    return Network(
        Preset(number("SLOTS_PER_EPOCH"), number("EPOCHS_PER_SYNC_COMMITTEE_PERIOD"), number("SYNC_COMMITTEE_SIZE")),
        hex_bytes(_member(start, "genesis_validators_root", "genesis"), "genesis.genesis_validators_root", 32),
        integer(_member(start, "genesis_time", "genesis"), "genesis.genesis_time"),
        seconds_per_slot,
        tuple(forks),
    )


def network_from_document(document: Any) -> Network:
    """`network_from_beacon_api` of a file `{spec, genesis}`, each in the envelope of its answer or without.

    Raises:
        MalformedInput, UnsupportedOperation: not such a document, or as `network_from_beacon_api`.
    """
    if not isinstance(document, Mapping) or not {"spec", "genesis"} <= document.keys():
        raise MalformedInput(
            "network", "has no spec and genesis: the answers of /eth/v1/config/spec and /eth/v1/beacon/genesis"
        )
    spec, genesis = (
        answer["data"] if isinstance(answer, Mapping) and "data" in answer else answer
        for answer in (document["spec"], document["genesis"])
    )
    return network_from_beacon_api(spec, genesis)
