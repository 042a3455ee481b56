"""Which packs operators say that they hold, where nothing else is known: a lost catalogue is made again from this.

Each operator is heard of its own shards alone, as far as that can be seen: a pack is placed on as many operators as it has shards, so
one that claims several of a pack is believed only of those that nobody claims who claims fewer. A liar then costs a pack its own shard
and one more, of the four that a pack of 10 + 4 may lose; reading shows whether the rest is true.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.storage.gateway.operators import OperatorFailed, OperatorLink
from hutong.relay.services.storage.gateway.pack_reading import PackSource
from hutong.relay.services.storage.rules.operator_api.documents import MAX_LISTED, ShardState
from hutong.relay.services.storage.rules.packs.shape import PackShape

_KEPT: Final = frozenset((ShardState.SIGNED.value, ShardState.PLACED.value, ShardState.DAMAGED.value))
_HASH: Final = 32
_NOBODY: Final = bytes(_HASH)


@dataclass(frozen=True, slots=True)
class _Claim:
    operator: bytes
    shard: int
    root: bytes
    shape: PackShape


async def listed_packs(
    links: Mapping[bytes, OperatorLink], code: tuple[int, int], tell: Callable[[str], None]
) -> list[PackSource]:
    """Packs that operators list as held in signed parts, ascending by name.

    Args:
        links: operators by id; those that do not answer, or answer nonsense, are left out.
        tell: is told in a sentence who was left out.

    Raises:
        OperatorFailed: not one operator lists what it holds.
    """
    claims: defaultdict[bytes, list[_Claim]] = defaultdict(list)
    answered = 0
    last = OperatorFailed("there are no operators")
    for operator, link in links.items():
        try:
            said = await _claims_of(operator, link, code)
        except OperatorFailed as error:
            last = error
            tell(str(error))
            continue
        answered += 1
        for pack, claim in said:
            claims[pack].append(claim)
    if not answered:
        raise last
    return [_source(pack, claims[pack]) for pack in sorted(claims)]


async def _claims_of(operator: bytes, link: OperatorLink, code: tuple[int, int]) -> list[tuple[bytes, _Claim]]:
    try:
        return [_claim(operator, row, code) for row in await _all_shards(link)]
    except (KeyError, TypeError, ValueError, MalformedInput) as error:
        raise OperatorFailed(f"operator {link.name} lists nonsense") from error


def _claim(operator: bytes, row: dict[str, Any], code: tuple[int, int]) -> tuple[bytes, _Claim]:
    pack, root = bytes.fromhex(row["pack"]), bytes.fromhex(row["root"])
    claim = _Claim(operator, int(row["shard"]), root, PackShape(*code, int(row["height"])))
    if len(pack) != _HASH or len(root) != _HASH or not 0 <= claim.shard < claim.shape.shards:
        raise ValueError("no shard of a pack")
    return pack, claim


async def _all_shards(link: OperatorLink) -> list[dict[str, Any]]:
    """Page after page, each of later packs than the one before: a list that goes round has an end."""
    rows: list[dict[str, Any]] = []
    after = b""
    while True:
        page = await link.document(f"/v1/shards?count={MAX_LISTED}" + (f"&after={after.hex()}" if after else ""))
        rows += [row for row in page["shards"] if row["state"] in _KEPT]
        if page["next"] is None:
            return rows
        following = bytes.fromhex(page["next"])
        if following <= after:
            raise ValueError("pages that do not ascend")
        after = following


def _source(pack: bytes, claims: list[_Claim]) -> PackSource:
    """Of each shard the claim of whoever claims fewest of the pack; the height is that of most claims so chosen."""
    claimed = Counter(claim.operator for claim in claims)
    chosen: dict[int, _Claim] = {}
    for claim in claims:
        other = chosen.get(claim.shard)
        if other is None or claimed[claim.operator] < claimed[other.operator]:
            chosen[claim.shard] = claim
    ((shape, _),) = Counter(claim.shape for claim in chosen.values()).most_common(1)
    held = [chosen.get(number) for number in range(shape.shards)]
    return PackSource(
        pack,
        shape,
        tuple(_NOBODY if one is None else one.root for one in held),
        tuple(_NOBODY if one is None else one.operator for one in held),
    )
