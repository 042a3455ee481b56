"""Committees with their keys decoded: once a committee, since that costs what twenty updates do."""

from dataclasses import dataclass
from functools import lru_cache

from hutong.light_clients.crypto import bls
from hutong.light_clients.ethereum.roots import CACHED_COMMITTEES
from hutong.light_clients.ethereum.types import SyncAggregate, SyncCommittee
from hutong.light_clients.interface import PredicateFailed


@dataclass(frozen=True, slots=True)
class DecodedCommittee:
    """Every member's key, valid, and the sum of all of them."""

    keys: tuple[bls.PublicKey, ...]
    total: bls.PublicKey

    def sum_of(self, aggregate: SyncAggregate) -> bls.PublicKey:
        """The sum of the participants' keys: added, or taken from the whole where the absent are fewer.

        `aggregate` must be of the committee's size (`sizes_match_the_preset`).
        """
        if 2 * aggregate.participants <= len(self.keys):
            return bls.add_keys([self.keys[index] for index in aggregate.members()])
        return bls.subtract_keys(self.total, [self.keys[index] for index in aggregate.members(absent=True)])


@lru_cache(maxsize=CACHED_COMMITTEES)
def decode_committee(committee: SyncCommittee) -> DecodedCommittee:
    """Every key decoded; the last `CACHED_COMMITTEES` committees are remembered.

    The specification validates the participants' keys only; here one bad key refuses the committee, which no chain
    elects.

    Raises:
        PredicateFailed: a key that is infinity or not of the subgroup, or a wrong aggregate.
    """
    keys: list[bls.PublicKey] = []
    for index, key in enumerate(bls.decode_public_keys(committee.pubkeys)):
        if key is None:
            start = index * bls.PUBLIC_KEY_BYTES
            raise PredicateFailed(
                "committee_keys_valid",
                f"key {index} is no canonical point of the subgroup, or infinity",
                got=committee.pubkeys[start : start + bls.PUBLIC_KEY_BYTES],
            )
        keys.append(key)
    total = bls.add_keys(keys)
    if bls.encode_public_key(total) != committee.aggregate_pubkey:
        raise PredicateFailed(
            "committee_keys_valid",
            "the aggregate is not the sum of the keys",
            got=committee.aggregate_pubkey,
            expected=bls.encode_public_key(total),
        )
    return DecodedCommittee(tuple(keys), total)
