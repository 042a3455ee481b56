"""Bundles judged one after another under the same checkpoints: every predicate in order, the first failure ends it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from hutong.light_clients.interface import Height, VerificationError, cited
from hutong.relay.archive.bundle import Bundle, Claim, Leg, decode_bundle
from hutong.relay.archive.checkpoint import (
    AttestationTrust,
    BftEvmTrust,
    Checkpoint,
    EthereumTrust,
    FollowedTrust,
    TendermintTrust,
)
from hutong.relay.audit.bft_evm import BftEvmRules
from hutong.relay.audit.blocks import SPEC, HeaderRules
from hutong.relay.audit.chains import ChainCase, JudgedChain, judge_chain
from hutong.relay.audit.claims import judge_leg
from hutong.relay.audit.inquiry import Inquiry, Verdict
from hutong.relay.audit.links import judge_links
from hutong.relay.audit.memory import HeaderMemory
from hutong.relay.audit.tendermint import TendermintRules


class MissingTrust(Exception):
    """The reader's checkpoints do not reach: the bundle cannot be judged, either way. One sentence."""


bundle_is_canonical = cited(decode_bundle, SPEC, "bundle_is_canonical")


@dataclass(frozen=True, slots=True)
class Report:
    """`trust` says for each chain by what its headers are believed; it and `outcome` are empty where a predicate failed."""

    packet_id: str
    verdicts: tuple[Verdict, ...]
    trust: Mapping[str, str]
    outcome: str

    @property
    def is_valid(self) -> bool:
        """Whether every predicate that was asked held."""
        return bool(self.verdicts) and self.verdicts[-1].check.held

    @property
    def failure(self) -> Verdict | None:
        """The predicate that did not hold, which is the last one asked; None where all held."""
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
        judged = self._judge(data, verdicts.append)
        bundle = judged.bundle
        outcome = "" if bundle is None or judged.failure is not None else outcome_of(bundle)
        return Report("" if bundle is None else bundle.packet_id, tuple(verdicts), judged.trust, outcome)

    def judge(self, data: bytes) -> Judgement:
        """As `audit`, and by the same steps, for bundles of which only what failed is asked.

        Raises:
            MissingTrust: as `audit`.
        """
        return self._judge(data, None)

    def _judge(self, data: bytes, tell: Callable[[Verdict], object] | None) -> Judgement:
        inquiry = Inquiry(tell)
        bundle: Bundle | None = None
        try:
            bundle = inquiry.about("bundle")(bundle_is_canonical, data)
            chains = self.examine(inquiry, bundle)
        except VerificationError as error:
            if not inquiry.refused_by_a_rule(error):
                raise
            return Judgement(bundle, inquiry.rules, inquiry.failure, {})
        trust = {chain_id: judged.mode for chain_id, judged in chains.items()}
        return Judgement(bundle, inquiry.rules, None, trust)

    def examine(self, inquiry: Inquiry, bundle: Bundle) -> dict[str, JudgedChain]:
        """Every rule after the bundle's form, for an inquiry of the caller's. Returns its chains, judged, by chain id.

        Raises:
            MissingTrust: as `audit`.
            VerificationError: the first rule that does not hold, which `inquiry` has heard.
        """
        for leg in bundle.legs:
            self._check_trust(leg)
        return self._judge_bundle(inquiry, bundle)

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

    def _judge_bundle(self, inquiry: Inquiry, bundle: Bundle) -> dict[str, JudgedChain]:
        chains: dict[str, JudgedChain] = {}
        for chain in bundle.chains:
            checkpoint = self._checkpoints[chain.chain_id]
            rules = header_rules(checkpoint, chain.validator_sets, self._memory)
            case = ChainCase(bundle, chain, checkpoint, rules, _proof_heights(bundle, chain.chain_id))
            chains[chain.chain_id] = judge_chain(inquiry, case, self._now_ns, self._memory)
        for number, leg in enumerate(bundle.legs, 1):
            judge_leg(inquiry, leg, number, chains)
        judge_links(inquiry, bundle)
        return chains


def header_rules(checkpoint: Checkpoint, validator_sets: tuple[bytes, ...], memory: HeaderMemory) -> HeaderRules | None:
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
    """What a valid bundle shows, in one sentence. Only of a bundle that was judged: nothing is checked here."""
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
