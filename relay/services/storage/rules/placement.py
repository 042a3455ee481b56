"""Which operators hold the shards of a batch: weighted rendezvous hashing under limits (docs/spec/storage-placement.md).

Integers alone, so that every machine finds the same operators.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from hutong.light_clients.crypto import sha256
from hutong.light_clients.interface import PredicateFailed, rule
from hutong.relay.services.identity.rules.records.encoding import check_bytes, check_number
from hutong.relay.services.storage.rules.records.members import Candidate, MapRecord

SPEC: Final = "docs/spec/storage-placement.md"
GROUP_DOMAIN: Final = b"hutong/storage/group/1"
PLACE_DOMAIN: Final = b"hutong/storage/place/1"
GROUPS: Final = 4_096
_FRACTION_BITS: Final = 32
_DRAWN_BITS: Final = 64


def group_of(hub: bytes, writer: bytes, sequence: int) -> int:
    """The placement group of a writer's batch, 0 to 4 095.

    Raises:
        MalformedInput: an id that is not 32 bytes, or a sequence out of its bounds.
    """
    check_bytes("group.hub", hub)
    check_bytes("group.writer", writer)
    check_number("group.sequence", sequence)
    drawn = sha256(GROUP_DOMAIN + hub + writer + sequence.to_bytes(8, "big"))
    return int.from_bytes(drawn[:2], "big") % GROUPS


def score(group: int, candidate: Candidate) -> int:
    """How far from the front a candidate stands in a group: the lowest is first, and a weight twice as large half as far.

    -log2 of a number that is drawn from group and operator, in 2^-32, divided by the weight, in 2^-32.
    """
    drawn = sha256(PLACE_DOMAIN + group.to_bytes(2, "big") + candidate.operator)[: _DRAWN_BITS // 8]
    return (_minus_log2(int.from_bytes(drawn, "big") + 1) << _FRACTION_BITS) // candidate.weight


def _minus_log2(drawn: int) -> int:
    """-log2(drawn / 2^64) in 2^-32, of 1 to 2^64, by squaring: each squaring gives one bit."""
    whole = drawn.bit_length() - 1
    scaled, bits = drawn << (_DRAWN_BITS - whole), 0
    for _ in range(_FRACTION_BITS):
        scaled = scaled * scaled >> _DRAWN_BITS
        high = scaled >> (_DRAWN_BITS + 1)
        bits = bits << 1 | high
        scaled >>= high
    return (_DRAWN_BITS << _FRACTION_BITS) - (whole << _FRACTION_BITS | bits)


@rule(SPEC)
def placement_is_possible(placing: MapRecord, group: int) -> tuple[Candidate, ...]:
    """The operators of a group, first the one for shard 0: no organisation and no site has more than `parity` of them.

    Candidates are taken in the order of their scores; one is passed over where it would be one too many of its organisation
    or site, or where the rest could no longer be found without it.

    Raises:
        PredicateFailed: the candidates do not suffice under the limits.
        MalformedInput: there is no such group.
    """
    check_number("group", group, most=GROUPS - 1)
    ordered = sorted(placing.candidates, key=lambda one: (score(group, one), one.operator))
    needed, limit = placing.data + placing.parity, placing.parity
    taken = _taken(ordered, needed, limit, looks_ahead=False)
    # Where the first that fit suffice, looking ahead would have taken the same ones.
    if len(taken) < needed and _suffice(ordered, Counter(), Counter(), limit, needed):
        taken = _taken(ordered, needed, limit, looks_ahead=True)
    if len(taken) < needed:
        raise PredicateFailed(
            "placement_is_possible",
            f"{limit} of an organisation and of a site are the most",
            got=f"{len(ordered)} operators",
            expected=f"{needed} operators",
        )
    return taken


def _taken(ordered: Sequence[Candidate], needed: int, limit: int, *, looks_ahead: bool) -> tuple[Candidate, ...]:
    taken: list[Candidate] = []
    organisations, sites = Counter[bytes](), Counter[bytes]()
    for at, one in enumerate(ordered):
        if len(taken) == needed:
            break
        if organisations[one.organisation] == limit or sites[one.site] == limit:
            continue
        organisations[one.organisation] += 1
        sites[one.site] += 1
        if looks_ahead:
            left = needed - len(taken) - 1
            if not _suffice(ordered[at + 1 :], organisations, sites, limit, left):
                organisations[one.organisation] -= 1
                sites[one.site] -= 1
                continue
        taken.append(one)
    return tuple(taken)


def _suffice(
    candidates: Sequence[Candidate], organisations: Counter[bytes], sites: Counter[bytes], limit: int, needed: int
) -> bool:
    """Whether `needed` can be taken beside those that are counted: a flow from organisations to sites."""
    flow = _Flow(candidates, sites, limit)
    sent = 0
    for organisation in sorted({one.organisation for one in candidates}):
        for _ in range(limit - organisations[organisation]):
            if sent == needed or not flow.send(organisation, set()):
                break
            sent += 1
    return sent == needed


class _Flow:
    """What organisations have at sites, one more at a time, where others move to make room."""

    def __init__(self, candidates: Sequence[Candidate], sites: Counter[bytes], limit: int) -> None:
        self._left = dict(Counter((one.organisation, one.site) for one in candidates))
        """How many more an organisation could have at a site."""
        self._free = {site: limit - sites[site] for _, site in self._left}
        self._sites: dict[bytes, list[bytes]] = {}
        for organisation, site in sorted(self._left):
            self._sites.setdefault(organisation, []).append(site)
        self._taken: dict[bytes, dict[bytes, int]] = {site: {} for site in self._free}
        """By site and organisation: how many it has there."""

    def send(self, organisation: bytes, seen: set[bytes]) -> bool:
        """Whether the organisation finds room for one more; `seen` are sites that were tried."""
        for site in self._sites[organisation]:
            if site in seen or not self._left[organisation, site]:
                continue
            seen.add(site)
            if self._free[site] > 0:
                self._free[site] -= 1
            elif not self._someone_leaves(site, seen):
                continue
            self._left[organisation, site] -= 1
            self._taken[site][organisation] = self._taken[site].get(organisation, 0) + 1
            return True
        return False

    def _someone_leaves(self, site: bytes, seen: set[bytes]) -> bool:
        taken = self._taken[site]
        for other in sorted(taken):
            if taken[other] and self.send(other, seen):
                taken[other] -= 1
                self._left[other, site] += 1
                return True
        return False
