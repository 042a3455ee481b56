"""Evidence as a case writes it (docs/spec/case-evidence.md): bundles as the API gives them, and what they are to show.

What is written is judged by `hutong audit case`, never here.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from typing import Any

NANOSECONDS_PER_SECOND = 10**9
SEALED_VERSION = 2
"""Of evidence that has seals."""
_OBSERVED_VALUE = 37
"""Bytes of an observation before its value (docs/spec/records.md)."""


class EvidenceWriter:
    """Of one run. Addresses and ids that the case chose go into the trust file, for the auditor to compare."""

    def __init__(self, case: str) -> None:
        self.case = case
        self.conclusion: dict[str, Any] = {}
        self.contracts: dict[str, dict[str, str]] = {}
        """By chain and name, those that the case deployed."""
        self.people: dict[str, str] = {}
        self.values: dict[str, str] = {}
        self._statements: dict[str, dict[str, Any]] = {}
        self._bundles: dict[str, bytes] = {}

    @property
    def proof_bytes(self) -> int:
        """Of all bundles together."""
        return sum(map(len, self._bundles.values()))

    @property
    def is_empty(self) -> bool:
        """Whether nothing was stated."""
        return not self._statements

    def time_of(self, name: str) -> int:
        """`time_s` of a state that was stated."""
        return int(self._statements[name]["time_s"])

    def contract(self, chain: str, name: str, address: str) -> None:
        """Say which contract is meant."""
        self.contracts.setdefault(chain, {})[name] = address

    def message(self, name: str, bundle: bytes, fate: str) -> None:
        """State how a packet ended: `delivered`, `refused` or `timed_out`; by its proof bundle."""
        (first, *_) = json.loads(bundle)["legs"]
        client, sequence = _sender_of(b64decode(first["packet"]))
        packet = f"{first['source_chain_id']}/{client}/{sequence}"
        self._state(name, "message", bundle=self._kept(f"m.{name}", bundle), packet=packet, fate=fate)

    def observed_slot(self, name: str, client: str, account: str, slot: bytes, bundle: bytes) -> int:
        """State what a hub's record says of a storage slot, by the record's bundle. Returns the word as a number.

        Args:
            client: the hub's, such as `bft-evm-0`.
            slot: 32 bytes.

        Raises:
            ValueError: the bundle has no such record.
        """
        key = f"observation/slot/{client}/".encode() + bytes.fromhex(account[2:]) + slot
        return int.from_bytes(self._observed(name, client, key, _slot(account, slot), bundle), "big")

    def observed_key(self, name: str, client: str, key: bytes, place: tuple[str, bytes], bundle: bytes) -> bytes:
        """State what a hub's record says of a key of a Cosmos chain's store, by the record's bundle. Returns the value.

        Args:
            key: of the record.
            place: the store's name, and the key there.

        Raises:
            ValueError: the bundle has no such record.
        """
        store, at = place
        return self._observed(name, client, key, {"store": store, "key": b64encode(at).decode()}, bundle)

    def _observed(self, name: str, client: str, key: bytes, what: dict[str, str], bundle: bytes) -> bytes:
        document = json.loads(bundle)
        wanted = {"record": b64encode(key).decode()}
        found = next((one for one in document["statements"] if one["what"] == wanted), None)
        if found is None or found["value"] is None:
            raise ValueError(f"{client} has not observed {what}")
        observation = b64decode(found["value"])
        present, value = observation[1] == 1, observation[_OBSERVED_VALUE:]
        revision, height, time_ns = (int.from_bytes(observation[at : at + 8], "big") for at in (13, 21, 29))
        observed = (f"{revision}-{height}", time_ns // NANOSECONDS_PER_SECOND)
        where = (document["chain"]["chain_id"], client)
        self._read(name, bundle, where, what, (value if present else None, *observed))
        return value

    def own_slot(self, name: str, account: str, slot: bytes, bundle: bytes, time_s: Callable[[int], int]) -> int:
        """State what a chain itself holds in a storage slot, by a record bundle of that chain (`hutong prove`).

        Args:
            time_s: gives the time of a block by its number, whole seconds of Unix time.

        Raises:
            ValueError: the bundle has no such slot.
        """
        document = json.loads(bundle)
        wanted = _slot(account, slot)
        found = next((one for one in document["statements"] if one["what"] == wanted), None)
        if found is None:
            raise ValueError(f"the bundle says nothing of {account} 0x{slot.hex()}")
        value = None if found["value"] is None else b64decode(found["value"])
        where, height = (document["chain"]["chain_id"], None), int(document["height"].rpartition("-")[2])
        self._read(name, bundle, where, _slot(account, slot), (value, document["height"], time_s(height)))
        return int.from_bytes(value or b"", "big")

    def entries(
        self, name: str, leaves: Sequence[bytes], paths: Sequence[Sequence[bytes]], under: str, at: int
    ) -> None:
        """State that these leaves, each with its path, are all that is under a root: `<name>-0000` and so on.

        Args:
            under: the statement that shows the root, `at` so many bytes from the begin of what it shows.
        """
        for number, (leaf, path) in enumerate(zip(leaves, paths, strict=True)):
            self.entry(f"{name}-{number:04}", leaf, path, (number, len(leaves)), under, at)

    def entry(
        self, name: str, leaf: bytes, path: Sequence[bytes], place: tuple[int, int], under: str, at: int = 0
    ) -> None:
        """State one leaf alone; `place` is its number, and of how many. Otherwise as `entries`."""
        nodes, (number, size) = [b64encode(node).decode() for node in path], place
        said = {"index": number, "size": size, "siblings": nodes, "under": under, "offset": at}
        self._state(name, "entry", leaf=b64encode(leaf).decode(), **said)

    def hub_record(self, name: str, key: bytes, bundle: bytes, time_s: Callable[[int], int]) -> bytes | None:
        """State what a key of the hub's own state holds, by a record bundle of the hub. Returns the value; None: nothing.

        Args:
            time_s: gives the time of a block of the hub by its number, whole seconds of Unix time.

        Raises:
            StopIteration: the bundle says nothing of the key.
        """
        document, what = json.loads(bundle), {"record": b64encode(key).decode()}
        said = next(one["value"] for one in document["statements"] if one["what"] == what)
        value = None if said is None else b64decode(said)
        where, height = (document["chain"]["chain_id"], None), int(document["height"].rpartition("-")[2])
        self._read(name, bundle, where, what, (value, document["height"], time_s(height)))
        return value

    def report(
        self,
        name: str,
        feed: Mapping[str, Any],
        time_s: int,
        reports: Sequence[tuple[int, bytes]],
        under: str,
    ) -> None:
        """State that signers reported these values (with their signatures, ascending by signer) for a round of a feed.

        Args:
            feed: its description, as docs/spec/feeds.md has it.
            under: the statement of the state that shows the feed's slot.
        """
        said = [{"value": str(value), "signature": f"0x{signature.hex()}"} for value, signature in reports]
        self._state(name, "report", feed=dict(feed), time_s=time_s, reports=said, under=under)

    def seal(
        self,
        name: str,
        bundle: bytes,
        presented: Mapping[str, Any],
        time_s: Callable[[int], int],
        refused_by: str | None = None,
    ) -> None:
        """State that a credential was good under the records of a bundle of the hub, or which rule refused it.

        Args:
            presented: the fields of such a statement that say what was presented.
            time_s: gives the time of a block of the hub by its number, whole seconds of Unix time.
        """
        document = json.loads(bundle)
        height = int(document["height"].rpartition("-")[2])
        where = {"bundle": self._kept(f"s.{name}", bundle), "chain_id": document["chain"]["chain_id"]}
        self._state(name, "seal", **where, time_s=time_s(height), refused_by=refused_by, **presented)

    def encoded(self) -> bytes:
        """The file: canonical JSON with a final line break."""
        document = {
            "format": "hutong-case-evidence",
            "version": SEALED_VERSION if any(one["kind"] == "seal" for one in self._statements.values()) else 1,
            "case": self.case,
            "statements": [self._statements[name] for name in sorted(self._statements)],
            "bundles": {name: b64encode(bundle).decode() for name, bundle in self._bundles.items()},
            "conclusion": self.conclusion,
        }
        return json.dumps(document, sort_keys=True, separators=(",", ":")).encode() + b"\n"

    def trust(self, city: Mapping[str, Any]) -> dict[str, Any]:
        """The city's own trust file with the case's contracts, roles and values added."""
        chains = [
            chain | {"contracts": {**chain["contracts"], **self.contracts.get(chain["name"], {})}}
            for chain in city["chains"]
        ]
        people = {**city["people"], **self.people}
        return {**city, "chains": chains, "people": people, "values": {**city["values"], **self.values}}

    def _read(
        self,
        name: str,
        bundle: bytes,
        where: tuple[str, str | None],
        what: dict[str, str],
        held: tuple[bytes | None, str, int],
    ) -> None:
        (chain_id, client), (value, height, time_s) = where, held
        self._state(
            name,
            "state",
            bundle=self._kept(f"s.{name}", bundle),
            chain_id=chain_id,
            client=client,
            what=what,
            value=None if value is None else b64encode(value).decode(),
            height=height,
            time_s=time_s,
        )

    def _kept(self, name: str, bundle: bytes) -> str:
        """The name under which the bundle is: one bundle may show several states."""
        known = next((other for other, data in self._bundles.items() if data == bundle), name)
        self._bundles[known] = bundle
        return known

    def _state(self, name: str, kind: str, **fields: Any) -> None:
        if name in self._statements:
            raise ValueError(f"two statements are called {name}")
        self._statements[name] = {"id": name, "kind": kind} | fields


def _slot(account: str, slot: bytes) -> dict[str, str]:
    return {"account": account.lower(), "slot": f"0x{slot.hex()}"}


def _sender_of(packet: bytes) -> tuple[str, int]:
    """Source client and sequence of a protobuf `ibc.core.channel.v2.Packet`: fields 1 and 2, which come first."""
    sequence, at = _varint(packet, 1)
    length, at = _varint(packet, at + 1)
    return packet[at : at + length].decode(), sequence


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        at += 1
        if data[at - 1] < 0x80:
            return value, at
        shift += 7
