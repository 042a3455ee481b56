"""`hutong verify ethereum`: light client objects of beacon nodes, judged from a block root that the user trusts."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hutong.light_clients.ethereum import (
    NETWORKS,
    Bootstrap,
    Fork,
    LightClientStore,
    Network,
    Update,
    beacon_json,
    ssz,
    supermajority,
)
from hutong.light_clients.ethereum.predicates import SYNC_PROTOCOL, enough_participants, within_trusting_period
from hutong.light_clients.ethereum.snappy import decompress
from hutong.light_clients.ethereum.verification import judge_bootstrap, judge_store_update
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, Judge, MalformedInput, UnsupportedOperation, cited
from hutong.relay.verify.inputs import UnusableInput, parse_json, read_file, read_json

SNAPPY_SUFFIX = ".ssz_snappy"
_DIGEST_BYTES = 4


@dataclass(frozen=True, slots=True)
class Served:
    """One object of a file. Nothing in it is believed."""

    source: str
    value: Bootstrap | Update


@dataclass(frozen=True, slots=True)
class Trust:
    """What the user believes, and how far."""

    network: Network
    block_root: bytes
    trusting_period_s: int
    clock_drift_s: int


def read_network(name: str) -> Network:
    """A known network by name, or a JSON file `{spec, genesis}` of its node's answers.

    Raises:
        UnusableInput: neither, or the file describes no network that can be judged.
    """
    known = NETWORKS.get(name)
    if known is not None:
        return known
    path = Path(name)
    if not path.is_file():
        raise UnusableInput(f"--network {name} is not one of {', '.join(NETWORKS)}, and no file of that name exists")
    try:
        return beacon_json.network_from_document(read_json(path))
    except (MalformedInput, UnsupportedOperation) as error:
        raise UnusableInput(f"{path} describes no network: {error}") from None


def fork_option(name: str) -> Fork:
    """`--fork`, in any case of its letters: the containers of SSZ files and of JSON without a version.

    Raises:
        UnusableInput: no fork from Altair to Fulu has the name.
    """
    try:
        return beacon_json.fork_named(name.lower())
    except (MalformedInput, UnsupportedOperation):
        offered = ", ".join(fork.name.lower() for fork in Fork if Fork.ALTAIR <= fork <= Fork.FULU)
        raise UnusableInput(f"--fork {name} is not one of {offered}") from None


def read_served(paths: Iterable[Path], network: Network, fork: Fork | None) -> list[Served]:
    """Every object of the files in order: JSON, SSZ, raw snappy blocks of SSZ, and the SSZ stream of /updates.

    Args:
        fork: of what names none itself; None where every file does.

    Raises:
        UnusableInput: a file holds no light client objects, or too many, or there is not one bootstrap, at the
            beginning.
    """
    served: list[Served] = []
    for path in paths:
        data = read_file(path)
        if path.suffix == SNAPPY_SUFFIX:
            values = _ssz_values(_unpacked(data, path), path, network, fork)
        elif data.lstrip()[:1] in (b"{", b"["):
            values = _json_values(parse_json(data, str(path)), path, network, fork)
        else:
            values = _ssz_values(data, path, network, fork)
        many = len(values) > 1
        served += [Served(f"{path.name}[{index}]" if many else path.name, value) for index, value in enumerate(values)]
    if not served or not isinstance(served[0].value, Bootstrap):
        raise UnusableInput("the first file is not a bootstrap: its header is the block whose root you trust")
    if any(isinstance(item.value, Bootstrap) for item in served[1:]):
        raise UnusableInput("there is more than one bootstrap: give the one of the block whose root you trust")
    return served


def _data(answer: Any) -> Any:
    return answer["data"] if isinstance(answer, Mapping) and "data" in answer else answer


def _unpacked(data: bytes, path: Path) -> bytes:
    try:
        return decompress(data)
    except MalformedInput as error:
        raise UnusableInput(f"{path} is not a raw snappy block: {error.reason}") from None


def _json_values(document: Any, path: Path, network: Network, fork: Fork | None) -> list[Bootstrap | Update]:
    items = document if isinstance(document, list) else [document]
    if len(items) > beacon_json.MAX_UPDATES:
        raise UnusableInput(f"{path} has more than {beacon_json.MAX_UPDATES} objects")
    values: list[Bootstrap | Update] = []
    for item in items:
        if not isinstance(item, Mapping):
            raise UnusableInput(f"{path} is not an answer of a beacon node")
        if "code" in item and "message" in item:
            raise UnusableInput(f"{path} is an error response of the node")
        try:
            containers = beacon_json.fork_named(item["version"]) if item.get("version") is not None else fork
            if containers is None:
                raise UnusableInput(f"{path} names no version: give --fork")
            value = _data(item)
            if isinstance(value, Mapping) and "current_sync_committee" in value:
                values.append(beacon_json.bootstrap(value, containers, network.preset))
            else:
                values.append(beacon_json.update(value, containers, network.preset))
        except (MalformedInput, UnsupportedOperation) as error:
            raise UnusableInput(f"{path} is not a light client object: {error}") from None
    return values


def _ssz_values(data: bytes, path: Path, network: Network, fork: Fork | None) -> list[Bootstrap | Update]:
    """SSZ does not say what it is, but no bytes are two of the containers: the sizes of their fixed parts differ."""
    if fork is None:
        raise UnusableInput(f"{path} is SSZ, which names no fork: give --fork")
    decoders = (
        ssz.decode_bootstrap,
        ssz.decode_update,
        ssz.decode_finality_update,
        ssz.decode_optimistic_update,
    )
    for decode in decoders:
        try:
            return [decode(data, fork, network.preset)]
        except MalformedInput:
            continue
    try:
        return list(_stream(data, network))
    except (MalformedInput, UnsupportedOperation):
        raise UnusableInput(
            f"{path} is neither JSON nor a light client object of {fork.name.lower()} in SSZ for this network"
        ) from None


def _stream(data: bytes, network: Network) -> Iterator[Update]:
    """[u64 length][fork digest][SSZ], repeated: what /eth/v1/beacon/light_client/updates answers in SSZ."""
    at, count = 0, 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 8], "little")
        start = at + 8 + _DIGEST_BYTES
        at += 8 + size
        count += 1
        if size <= _DIGEST_BYTES or at > len(data) or count > beacon_json.MAX_UPDATES:
            raise MalformedInput("updates", "length of an update", got=size)
        yield ssz.decode_update(
            data[start:at], network.fork_of_digest(data[start - _DIGEST_BYTES : start]), network.preset
        )


_signed_by_supermajority = cited(
    enough_participants, f"{SYNC_PROTOCOL}#process_light_client_update", "signed_by_supermajority"
)


def judge_file(judge: Judge, served: list[Served], trust: Trust, now_ns: int) -> None:
    """Every rule, in order: the bootstrap from the trusted root, then each update from the store so far.

    Args:
        served: as `read_served` gives it.
        now_ns: nanoseconds of Unix time.

    Raises:
        VerificationError: of the first rule that does not hold.
        UnusableInput: there is not one bootstrap, at the beginning.
    """
    judge_updates(judge, judge_start(judge, served, trust, now_ns), served[1:], trust, now_ns)


def judge_start(judge: Judge, served: list[Served], trust: Trust, now_ns: int) -> LightClientStore:
    """The bootstrap from the trusted root, and the store that it makes.

    Raises:
        VerificationError: of the first rule that does not hold.
        UnusableInput: the first object is not a bootstrap.
    """
    first = served[0].value
    if not isinstance(first, Bootstrap):
        raise UnusableInput("the first file is not a bootstrap")
    network = trust.network
    slot_time_ns = network.slot_time_s(first.header.beacon.slot) * NANOSECONDS_PER_SECOND
    judge(within_trusting_period, slot_time_ns, trust.trusting_period_s * NANOSECONDS_PER_SECOND, now_ns)
    judge_bootstrap(judge.under(f"{served[0].source}: "), first, trust.block_root, network)
    return LightClientStore(network, first.header, first.current_sync_committee, None, None, first.header)


def judge_updates(judge: Judge, store: LightClientStore, updates: Iterable[Served], trust: Trust, now_ns: int) -> None:
    """Each update from the store that those before it made.

    Raises:
        VerificationError: of the first rule that does not hold.
        UnusableInput: there is a bootstrap among them.
    """
    network = trust.network
    current_slot = network.slot_before_ns(now_ns + trust.clock_drift_s * NANOSECONDS_PER_SECOND)
    for item in updates:
        update = item.value
        if isinstance(update, Bootstrap):
            raise UnusableInput("there is more than one bootstrap")
        of_file = judge.under(f"{item.source}: ")
        judge_store_update(of_file, update, store.committee_for(update), store.trusted, network, current_slot)
        of_file(_signed_by_supermajority, update, supermajority(network.preset.sync_committee_size))
        store = store.after_valid(update)


def subject_of(served: list[Served], trust: Trust, now_ns: int) -> dict[str, str]:
    """What is judged, in the words of the files (not yet believed)."""
    headers = [item.value.header for item in served if isinstance(item.value, Bootstrap)]
    headers += [
        item.value.finalized_header
        for item in served
        if isinstance(item.value, Update) and item.value.finalized_header is not None
    ]
    newest = max(headers, key=lambda header: header.beacon.slot)
    execution = newest.execution
    claimed = (
        "no execution block (before Capella)"
        if execution is None
        else f"execution block {execution.block_number} at {execution.timestamp_s} s, "
        f"state root {execution.state_root.hex()}"
    )
    return {
        "objects": str(len(served)),
        "genesis validators root": trust.network.genesis_validators_root.hex(),
        "trusted block root": trust.block_root.hex(),
        "newest finalized header": f"slot {newest.beacon.slot}, {claimed}",
        "now": f"{now_ns // NANOSECONDS_PER_SECOND} s",
    }
