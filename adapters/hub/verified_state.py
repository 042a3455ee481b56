"""The hub's state as its validators signed it: proven under headers that follow from what the caller trusts, whoever
serves it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from hutong.adapters.cometbft import CLIENT_TYPE, ClientOfChain, initial_states
from hutong.adapters.cometbft.states import TRUST_LEVEL
from hutong.adapters.hub.chain import UPGRADE_PATH, HubChain
from hutong.adapters.interface import AdapterError, ClientParameters, EndpointMismatch
from hutong.light_clients.interface import (
    NANOSECONDS_PER_SECOND,
    VERIFY,
    Height,
    MemoryConsensusStates,
    PredicateFailed,
    Updated,
)
from hutong.light_clients.proofs.ics23.specs import SMT_SPEC
from hutong.light_clients.tendermint import predicates
from hutong.light_clients.tendermint.client import TendermintClient
from hutong.light_clients.tendermint.hashing import header_hash, validator_set_hash
from hutong.light_clients.tendermint.types import Header, LightBlock, ValidatorSet, revision_of
from hutong.light_clients.tendermint.verification import Options, TrustedState, judge_update

MAX_CLOCK_DRIFT_S = 10


@dataclass(frozen=True, slots=True)
class TrustedHeader:
    """What a person was told by members whom they trust."""

    height: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class FirstBlock:
    """Of a revision: its genesis names who signs it."""

    height: int
    validators: ValidatorSet


@dataclass(frozen=True, slots=True)
class HubTrust:
    """What is believed of a hub before any endpoint is asked; everything but a trusted header stands in its genesis."""

    chain_id: str
    evm_chain_id: int
    trusting_period_s: int
    unbonding_period_s: int
    root: TrustedHeader | FirstBlock


@dataclass(eq=False)
class TrustTooOld(AdapterError):
    """The header that the caller trusts vouches for no other any more."""

    height: int
    expired_at_ns: int
    now_ns: int

    def __str__(self) -> str:
        late_s = (self.now_ns - self.expired_at_ns) // NANOSECONDS_PER_SECOND
        return (
            f"header {self.height} is what you trust, and its trusting period ended {late_s} s ago: ask members for the"
            " height and hash of a newer one"
        )


class VerifiedState:
    """Asks a hub's endpoints and believes what its light client, the one that other chains run, believes."""

    def __init__(self, chain: HubChain, trust: HubTrust, clock_ns: Callable[[], int]) -> None:
        self._chain = chain
        self._trust = trust
        self._clock_ns = clock_ns
        self._revision = revision_of(trust.chain_id)
        self._root: Header | None = None

    async def check_signing_domain(self) -> None:
        """A transaction that is signed for the endpoints' EIP-155 id is for this hub and for no other.

        Raises:
            EndpointMismatch: they name another id than the genesis that is trusted.
            EndpointUnavailable, RpcRefused: no endpoint tells it.
        """
        got, expected = await self._chain.eth_chain_id(), self._trust.evm_chain_id
        if got != expected:
            raise EndpointMismatch(self._chain.name, "eth_chainId", got, expected)

    async def get(self, key: bytes, after_height: int) -> bytes | None:
        """The value after block `after_height`, or a later one: waits for the header that commits to it.

        Returns:
            None if it is proven that the state holds nothing under `key`.

        Raises:
            VerificationError: what the endpoints serve does not follow from what is trusted.
            TrustTooOld: the trusting period of the header that the caller trusts has ended.
            AdapterError: the endpoints do not answer, or no longer keep what is needed.
        """
        root = await self._trusted_header()
        target = Height(self._revision, max(after_height + 1, root.height))
        await self._chain.wait_for_height(target.revision_height)
        client_state, consensus_state = await self._follow(root, target)
        proof = await self._chain.prove((key,), target)
        client = TendermintClient()
        if proof.value is None:
            client.verify_non_membership(client_state, consensus_state, proof.proof, (key,))
        else:
            client.verify_membership(client_state, consensus_state, proof.proof, (key,), proof.value)
        return proof.value

    async def _trusted_header(self) -> Header:
        if self._root is None:
            root = self._trust.root
            self._root = await (self._first(root) if isinstance(root, FirstBlock) else self._known(root))
        expired_at_ns = self._root.time_ns + self._trust.trusting_period_s * NANOSECONDS_PER_SECOND
        now_ns = self._clock_ns()
        if expired_at_ns <= now_ns:
            raise TrustTooOld(self._root.height, expired_at_ns, now_ns)
        return self._root

    async def _known(self, trusted: TrustedHeader) -> Header:
        header = (await self._chain.comet.signed_header(trusted.height)).header
        got = header_hash(header)
        if got != trusted.hash:
            raise PredicateFailed("header_is_the_trusted_one", "another hash than you trust", got, trusted.hash)
        predicates.chain_id_matches(header, self._trust.chain_id)
        return header

    async def _first(self, first: FirstBlock) -> Header:
        signed = await self._chain.comet.signed_header(first.height)
        genesis = TrustedState(first.height - 1, None, validator_set_hash(first.validators))
        options = Options(
            TRUST_LEVEL,
            self._trust.trusting_period_s * NANOSECONDS_PER_SECOND,
            MAX_CLOCK_DRIFT_S * NANOSECONDS_PER_SECOND,
        )
        judge_update(
            VERIFY,
            self._trust.chain_id,
            LightBlock(signed, first.validators),
            genesis,
            first.validators,
            options,
            self._clock_ns(),
        )
        return signed.header

    async def _follow(self, root: Header, target: Height) -> tuple[bytes, bytes]:
        """The client's state and its consensus state at `target`."""
        trust = self._trust
        states = initial_states(
            CLIENT_TYPE,
            ClientOfChain(trust.chain_id, (SMT_SPEC,), UPGRADE_PATH),
            root,
            ClientParameters(trust.trusting_period_s, MAX_CLOCK_DRIFT_S, trust.unbonding_period_s),
        )
        client, client_state = TendermintClient(), states.client_state
        consensus_state = states.consensus_state
        stored = MemoryConsensusStates({states.height: consensus_state})
        for message in await self._chain.client_messages(CLIENT_TYPE, client_state, states.height, target):
            verdict = client.verify_header(client_state, stored, message, self._clock_ns())
            if not isinstance(verdict, Updated):
                raise PredicateFailed("headers_follow", f"no header of {trust.chain_id}", verdict, "an update")
            client_state, consensus_state = verdict.client_state, verdict.consensus_state
            stored = stored.with_state(verdict.height, consensus_state)
        return client_state, consensus_state
