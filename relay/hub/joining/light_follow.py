"""From a header hash that a person trusts to any other header of the hub, by light verification of what members serve."""

from dataclasses import dataclass

from hutong.light_clients.interface import VERIFY, InsufficientTrust, PredicateFailed, VerificationError
from hutong.light_clients.tendermint import predicates
from hutong.light_clients.tendermint.bisection import Bisection
from hutong.light_clients.tendermint.hashing import header_hash
from hutong.light_clients.tendermint.types import Header, LightBlock, TrustLevel
from hutong.light_clients.tendermint.verification import Options, TrustedState, judge_update
from hutong.relay.hub.application.genesis import Genesis
from hutong.relay.hub.joining.member_rpc import Member, MemberFailed

TRUST_LEVEL = TrustLevel(1, 3)
MAX_CLOCK_DRIFT_NS = 10 * 10**9
MAX_STEPS_BACK = 100_000
"""Headers that are followed backwards by their hashes; a person who trusts a newer header than that takes an older one."""


class TrustUnusable(Exception):
    """The header that the person trusts cannot carry: one sentence. No other member helps."""


@dataclass(frozen=True, slots=True)
class TrustedHash:
    """What the person got from members whom they trust."""

    height: int
    hash: bytes


class LightFollower:
    """Believes headers of one hub. What was believed from one member stays believed with the next."""

    def __init__(self, genesis: Genesis, trusted: TrustedHash) -> None:
        self._genesis = genesis
        self._chain_id = genesis.chain_id
        self._trusted = trusted
        self._options = Options(TRUST_LEVEL, genesis.params.trusting_period_s * 10**9, MAX_CLOCK_DRIFT_NS)
        self._believed: dict[int, Header] = {}

    def header(self, member: Member, height: int, now_ns: int) -> Header:
        """The header of `height`, reached from the trusted one by hashes downwards or by light verification upwards.

        Blocking, as long as the member takes to answer. `now_ns` is nanoseconds of Unix time.

        Raises:
            MemberFailed: the member's answers do not lead there.
            TrustUnusable: the trusted header is too old, too far above, or of an earlier revision.
        """
        if height in self._believed:
            return self._believed[height]
        try:
            root = self._root(member, now_ns)
            if height < root.height:
                return self._back(member, root, height)
            return root if height == root.height else self._forward(member, root, height, now_ns)
        except VerificationError as error:
            raise MemberFailed(member.url, f"header {height}", str(error)) from error

    def _root(self, member: Member, now_ns: int) -> Header:
        trusted, base = self._trusted, self._genesis.base_height
        if trusted.height <= base:
            raise TrustUnusable(
                f"header {trusted.height} is of an earlier revision, {self._chain_id} begins after block {base}: trust one of its own"
            )
        known = self._believed.get(trusted.height)
        if known is None:
            known = member.signed_header(trusted.height).header
            got = header_hash(known)
            if got != trusted.hash:
                raise PredicateFailed("header_is_the_trusted_one", "another hash than you trust", got, trusted.hash)
            predicates.chain_id_matches(known, self._chain_id)
            self._believed[trusted.height] = known
        # The hash binds the time, so no member is to blame for its age.
        if known.time_ns + self._options.trusting_period_ns <= now_ns:
            raise TrustUnusable(
                f"header {trusted.height} is older than the trusting period of"
                f" {self._options.trusting_period_ns // 10**9} s: take a newer one"
            )
        return known

    def _back(self, member: Member, newest: Header, height: int) -> Header:
        if newest.height - height > MAX_STEPS_BACK:
            raise TrustUnusable(
                f"header {newest.height} is more than {MAX_STEPS_BACK} above the snapshot of {height - 1}: trust an older one"
            )
        header = newest
        while header.height > height:
            below = self._believed.get(header.height - 1) or member.signed_header(header.height - 1).header
            got = header_hash(below)
            if got != header.last_block_id.hash:
                raise PredicateFailed(
                    "headers_are_linked",
                    f"header {below.height} is not the next one's parent",
                    got,
                    header.last_block_id.hash,
                )
            self._believed[below.height] = header = below
        return header

    def _forward(self, member: Member, root: Header, height: int, now_ns: int) -> Header:
        start = max((one for one in self._believed if root.height <= one < height), default=root.height)
        search = Bisection.between(start, height)
        served: dict[int, LightBlock] = {}
        while (tried := search.next_height) is not None:
            if tried not in served:
                served[tried] = LightBlock(member.signed_header(tried), member.validator_set(tried))
            block = served[tried]
            trusted = self._believed[search.trusted]
            state = TrustedState(trusted.height, trusted.time_ns, trusted.next_validators_hash)
            trusted_set = member.validator_set(trusted.height + 1)
            try:
                judge_update(VERIFY, self._chain_id, block, state, trusted_set, self._options, now_ns)
            except InsufficientTrust:
                search = search.not_enough_trust()
            else:
                self._believed[tried] = block.signed_header.header
                search = search.believed()
        return self._believed[height]
