"""An exhibit that the police keeps: a recording in trusted storage, its record in a log, its root on two chains."""

import json
from dataclasses import dataclass

import httpx
from eth_account.signers.local import LocalAccount

from hutong.relay.cases.anchoring import slots_of
from hutong.relay.cases.case import CaseRun
from hutong.relay.cases.chain import CaseChain
from hutong.relay.cases.city_file import City
from hutong.relay.cases.operator import StorageNetwork
from hutong.relay.cases.storage.object_door import ObjectDoor
from hutong.relay.cases.storage.recording import PieceTree, Recording, tree_of
from hutong.relay.cases.storage.records import CLOCK, CLOCK_KEY, members, seed_key, value_in

BUCKET = "exhibits"
BEACON_LIMIT_S = 900
"""An epoch that is under way ends first, with whoever is late in it."""


def seed_to_come(city: City, run: CaseRun) -> int:
    """The next epoch, of which the hub is shown to have no seed yet: statement `beacon-before`."""
    clock = value_in(city.operator.prove_records([CLOCK_KEY]), CLOCK_KEY)
    epoch = 1 if clock is None else int(members(CLOCK, clock)[0]) + 1
    bundle = city.operator.prove_records([seed_key(epoch)])
    run.evidence.hub_record("beacon-before", seed_key(epoch), bundle, city.hub_time_s)
    run.evidence.values["beacon-epoch"] = str(epoch)
    return epoch


def beacon(city: City, run: CaseRun, epoch: int) -> bytes:
    """The seed of that epoch once the hub has drawn it, statement `beacon`: 32 bytes that nobody knew before."""
    key, found = seed_key(epoch), list[bytes]()

    def is_drawn() -> bool:
        bundle = city.operator.prove_records([key])
        if value_in(bundle, key) is None:
            return False
        found.append(bundle)
        return True

    city.until(f"the seed of epoch {epoch}", is_drawn, BEACON_LIMIT_S)
    value = run.evidence.hub_record("beacon", key, found[0], city.hub_time_s)
    return (value or b"")[1:33]


@dataclass(frozen=True)
class Exhibit:
    """A recording as it was stored: the tree is over its pieces, and the record as the last leaf."""

    recording: Recording
    key: str
    object_id: str
    record: bytes
    tree: PieceTree

    @property
    def path(self) -> str:
        """Of its object at the gateway."""
        return f"/{BUCKET}/{self.key}"

    def anchor(self, run: CaseRun, chain: CaseChain, police: LocalAccount, from_s: int) -> int:
        """Write its root down on a chain; the anchor's number among the publisher's."""
        contract = chain.app("anchor", "IAnchor")
        window = (from_s, chain.time_s())
        run.paid(chain.call(police, contract.functions.anchor(self.tree.root(), self.tree.count, *window)))
        return int(contract.functions.countOf(police.address).call()) - 1

    def includes(self, chain: CaseChain, police: LocalAccount, index: int, place: int, leaf: bytes) -> bool:
        """Whether the chain's own contract finds this leaf there under the root."""
        ask = chain.app("anchor", "IAnchor").functions.includes
        return bool(ask(police.address, index, leaf, place, self.tree.path(place)).call())

    def state(self, run: CaseRun, city: City, chain: CaseChain, police: LocalAccount, index: int) -> None:
        """State what the chain shows: `<chain>-root`, `<chain>-window`, and under them `<chain>-head`, `<chain>-record`."""
        address, name = chain.contracts["anchor"], chain.name
        slots = slots_of(police.address, index)
        bundle = city.operator.prove(name, address, slots)
        for part, slot in zip(("root", "window"), slots, strict=True):
            run.evidence.own_slot(f"{name}-{part}", address, slot, bundle, chain.time_s)
        last = self.tree.count - 1
        for part, place, leaf in (("head", 0, self.recording.piece(0)), ("record", last, self.record)):
            run.evidence.entry(f"{name}-{part}", leaf, self.tree.path(place), (place, last + 1), f"{name}-root")
        run.evidence.values[f"anchor-{name}"] = str(index)


def store(door: ObjectDoor, recording: Recording, key: str, retain_until_s: int) -> Exhibit:
    """Put it into storage, and write its record.

    Raises:
        httpx.HTTPStatusError: it was not stored.
    """
    _, digest, size = tree_of(recording)
    answer = door.put(key, recording, digest, retain_until_s)
    said = {"exhibit": key, "object": answer["id"], "sha256": digest.hex(), "bytes": size}
    record = json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
    tree, _, _ = tree_of(recording, record)
    return Exhibit(recording, key, str(answer["id"]), record, tree)


def reads_whole(door: ObjectDoor, exhibit: Exhibit) -> bool:
    """Whether all of it comes, as it was stored; what is not the exhibit's is never compared equal."""
    with door.read(exhibit.key) as octets:
        return tree_of(octets, exhibit.record)[0].root() == exhibit.tree.root()


def fails(door: ObjectDoor, key: str) -> str:
    """How a read ends that cannot be answered: the status, or the broken answer; empty where all came."""
    try:
        with door.read(key) as octets:
            for _ in octets:
                pass
    except httpx.HTTPStatusError as error:
        return str(error.response.status_code)
    except httpx.HTTPError as error:
        return type(error).__name__
    return ""


def flip_a_bit(network: StorageNetwork, number: int) -> None:
    """In the middle of the newest file that an operator keeps: the exhibit's, and again the same one."""
    files = [one for one in network.operators[number].shards.rglob("*") if one.is_file()]
    file = max(files, key=lambda one: one.stat().st_mtime_ns)
    with file.open("r+b") as shard:
        shard.seek(file.stat().st_size // 2)
        (octet,) = shard.read(1)
        shard.seek(-1, 1)
        shard.write(bytes([octet ^ 1]))


def anchored_at_s(chain: CaseChain, police: LocalAccount, index: int) -> int:
    """The time of the block that has the anchor."""
    return int(chain.app("anchor", "IAnchor").functions.anchorAt(police.address, index).call()[4])
