"""Bundles judged one after another under the same checkpoints: every predicate in order, the first failure ends it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from light_clients.interface import Check, CheckVerdict, Height, VerificationError
from relay.archive.bundle import Bundle, Claim, Leg, decode_bundle
from relay.archive.checkpoint import (
    AttestationTrust,
    BftEvmTrust,
    Checkpoint,
    EthereumTrust,
    FollowedTrust,
    TendermintTrust,
)
from relay.audit.bft_evm import BftEvmRules
from relay.audit.blocks import SPEC, HeaderRules, Step
from relay.audit.chains import JudgedChain, chain_steps
from relay.audit.claims import leg_steps
from relay.audit.links import link_steps
from relay.audit.memory import HeaderMemory
from relay.audit.tendermint import TendermintRules


class MissingTrust(Exception):
    """The reader's checkpoints do not reach: the bundle cannot be judged, either way. One sentence."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one predicate said, and of what."""

    subject: str
    check: CheckVerdict


@dataclass(frozen=True, slots=True)
class Report:
    """`trust` says for each chain by what its headers are believed; it and `outcome` are empty where a predicate failed."""

    packet_id: str
    verdicts: tuple[Verdict, ...]
    trust: Mapping[str, str]
    outcome: str

    @property
    def is_valid(self) -> bool:
        return bool(self.verdicts) and self.verdicts[-1].check.held

    @property
    def failure(self) -> Verdict | None:
        return None if self.is_valid else self.verdicts[-1]


@dataclass(frozen=True, slots=True)
class Judgement:
    """A report without what held: `bundle` is None if the bytes cannot be parsed, `failure` None if every check held."""

    bundle: Bundle | None
    predicates: int
    failure: Verdict | None
    trust: Mapping[str, str]


class Auditor:
    """Remembers which headers it has believed, so that many bundles of the same chains cost little."""

    def __init__(self, checkpoints: Iterable[Checkpoint], now_ns: int) -> None:
        """Raises MissingTrust where two checkpoints are of one chain: which one is meant is not ours to choose."""
        self._checkpoints: dict[str, Checkpoint] = {}
        for checkpoint in checkpoints:
            if checkpoint.chain_id in self._checkpoints:
                raise MissingTrust(f"two checkpoints are of chain {checkpoint.chain_id}: give one for each chain")
            self._checkpoints[checkpoint.chain_id] = checkpoint
        self._now_ns = now_ns
        self._memory = HeaderMemory()

    def audit(self, data: bytes) -> Report:
        """Judge a bundle file, and say what every predicate said.

        Raises:
            MissingTrust: no checkpoint of a chain that the bundle's proofs are about.
        """
        verdicts: list[Verdict] = []
        judged = self._judge(data, lambda step, error: verdicts.append(_verdict(step, error)))
        bundle = judged.bundle
        outcome = "" if bundle is None or judged.failure is not None else outcome_of(bundle)
        return Report("" if bundle is None else bundle.packet_id, tuple(verdicts), judged.trust, outcome)

    def judge(self, data: bytes) -> Judgement:
        """As `audit`, and by the same steps, for bundles of which only what failed is asked.

        Raises:
            MissingTrust: as `audit`.
        """
        return self._judge(data, None)

    def _judge(self, data: bytes, tell: Callable[[Step, VerificationError | None], None] | None) -> Judgement:
        decoded: list[Bundle] = []
        chains: dict[str, JudgedChain] = {}
        predicates = 0
        for step in self._all_steps(data, decoded, chains):
            predicates += 1
            error: VerificationError | None = None
            try:
                step.check.run()
            except VerificationError as refused:
                error = refused
            if tell is not None:
                tell(step, error)
            if error is not None:
                return Judgement(decoded[0] if decoded else None, predicates, _verdict(step, error), {})
        trust = {chain_id: judged.mode for chain_id, judged in chains.items()}
        return Judgement(decoded[0], predicates, None, trust)

    def _all_steps(self, data: bytes, decoded: list[Bundle], chains: dict[str, JudgedChain]) -> Iterator[Step]:
        yield Step("bundle", Check("bundle_is_canonical", SPEC, lambda: decoded.append(decode_bundle(data))))
        bundle = decoded[0]
        for leg in bundle.legs:
            self._check_trust(leg)
        yield from self._steps(bundle, chains)

    def _check_trust(self, leg: Leg) -> None:
        for chain_id, client_id in (
            (leg.source_chain_id, leg.packet.source_client),
            (leg.destination_chain_id, leg.packet.destination_client),
        ):
            checkpoint = self._checkpoints.get(chain_id)
            if checkpoint is None:
                raise MissingTrust(f"no checkpoint of chain {chain_id}, which this bundle's proofs are about")
            if client_id not in checkpoint.clients:
                raise MissingTrust(
                    f"the checkpoint of chain {chain_id} does not say what its client {client_id} follows"
                )

    def _steps(self, bundle: Bundle, chains: dict[str, JudgedChain]) -> Iterator[Step]:
        for chain in bundle.chains:
            checkpoint = self._checkpoints[chain.chain_id]
            judged = JudgedChain(bundle, chain, checkpoint, _rules(checkpoint, chain.validator_sets, self._memory))
            chains[chain.chain_id] = judged
            yield from chain_steps(judged, _proof_heights(bundle, chain.chain_id), self._now_ns, self._memory)
        for number, leg in enumerate(bundle.legs, 1):
            yield from leg_steps(leg, number, chains)
        yield from link_steps(bundle)


def _verdict(step: Step, error: VerificationError | None) -> Verdict:
    return Verdict(step.subject, CheckVerdict(step.check.name, step.check.source, error))


def _rules(checkpoint: Checkpoint, validator_sets: tuple[bytes, ...], memory: HeaderMemory) -> HeaderRules | None:
    """None for attested chains, which have no headers, and for those whose updates a light client follows."""
    match checkpoint.trust:
        case TendermintTrust() as trust:
            return TendermintRules(checkpoint, trust, validator_sets, memory)
        case BftEvmTrust() as trust:
            return BftEvmRules(checkpoint, trust, validator_sets)
        case AttestationTrust() | EthereumTrust() | FollowedTrust():
            return None


def _proof_heights(bundle: Bundle, chain_id: str) -> frozenset[Height]:
    return frozenset(
        proof.height for leg in bundle.legs for proof in leg.proofs if leg.chain_id_of(proof.claim) == chain_id
    )


def outcome_of(bundle: Bundle) -> str:
    """What a valid bundle shows, in one sentence."""
    return "; ".join(_leg_outcome(leg) for leg in bundle.legs)


def _leg_outcome(leg: Leg) -> str:
    acknowledgement = leg.acknowledgement
    match leg.outcome:
        case Claim.RECEIVED:
            said = f"received on {leg.destination_chain_id}, acknowledgement not yet shown"
        case Claim.TIMED_OUT:
            said = f"never received on {leg.destination_chain_id}, and its timeout has passed"
        case _:
            kind = "an error" if acknowledgement is not None and acknowledgement.is_error else "a success"
            said = f"received on {leg.destination_chain_id} and acknowledged there with {kind}"
    settled = f", settled on {leg.source_chain_id}" if leg.is_settled else ""
    return f"packet {leg.packet_id} {said}{settled}"
