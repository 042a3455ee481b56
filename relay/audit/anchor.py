"""Whether a root that a file shows stands on the hub, and whether an entry stands under a root. Offline, like all here."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from light_clients.ibc.commitment import merkle_path
from light_clients.interface import Check, CheckVerdict, Height, PredicateFailed, VerificationError, audit_checks
from light_clients.proofs import merkle
from light_clients.proofs.mpt import Account, storage_checks, verify_account
from light_clients.tendermint.client import TendermintClient
from relay.archive.anchor import EVM_STATE_ROOT_KEY, Anchor, AnchorProof, EntryProof, decode_anchor, decode_entry_proof
from relay.archive.bundle import Bundle
from relay.archive.checkpoint import Checkpoint, TendermintTrust
from relay.archive.store.entries import BundleEntry, encode_entry
from relay.audit.auditor import MissingTrust, Verdict
from relay.audit.blocks import Step
from relay.audit.chains import JudgedChain, chain_steps
from relay.audit.memory import HeaderMemory
from relay.audit.tendermint import TendermintRules

SPEC = "docs/spec/archive.md"


@dataclass(frozen=True, slots=True)
class AnchorReport:
    """`anchor` and `trust` are given only where every predicate held."""

    verdicts: tuple[Verdict, ...]
    anchor: Anchor | None
    trust: str

    @property
    def is_valid(self) -> bool:
        return self.anchor is not None


@dataclass(frozen=True, slots=True)
class EntryReport:
    """`proof` is given only where every predicate held."""

    verdicts: tuple[Verdict, ...]
    proof: EntryProof | None


def judge_anchor(
    data: bytes, checkpoint: Checkpoint, now_ns: int, *, contract: bytes, publisher: bytes
) -> AnchorReport:
    """Every predicate from the checkpoint down to the contract's storage, in order; the first failure ends it.

    `contract`, `publisher`: the 20 bytes of each that the reader was told before. Anybody may deploy a contract, and write
    what he likes under his own address.

    Raises:
        MissingTrust: the checkpoint is of another chain than the anchor, or of none with a hub's state.
    """
    decoded: list[AnchorProof] = []
    checks = [
        Check("anchor_is_canonical", SPEC, lambda: decoded.append(decode_anchor(data))),
        Check("contract_is_expected", SPEC, lambda: _is_expected("contract", decoded[0].anchor.contract, contract)),
        Check("publisher_is_expected", SPEC, lambda: _is_expected("publisher", decoded[0].anchor.publisher, publisher)),
    ]
    verdicts = [Verdict("anchor", verdict) for verdict in audit_checks(checks)]
    if not verdicts[-1].check.held:
        return AnchorReport(tuple(verdicts), None, "")
    proof = decoded[0]
    if proof.chain.chain_id != checkpoint.chain_id or not isinstance(checkpoint.trust, TendermintTrust):
        raise MissingTrust(f"the anchor is on hub {proof.chain.chain_id}, the checkpoint is of {checkpoint.chain_id}")
    memory = HeaderMemory()
    rules = TendermintRules(checkpoint, checkpoint.trust, proof.chain.validator_sets, memory)
    judged = JudgedChain(Bundle((), (proof.chain,)), proof.chain, checkpoint, rules)
    for step in _steps(proof, judged, checkpoint.trust, now_ns, memory):
        verdict = _run(step)
        verdicts.append(verdict)
        if not verdict.check.held:
            return AnchorReport(tuple(verdicts), None, "")
    return AnchorReport(tuple(verdicts), proof.anchor, judged.mode)


def _steps(
    proof: AnchorProof, judged: JudgedChain, trust: TendermintTrust, now_ns: int, memory: HeaderMemory
) -> Iterator[Step]:
    yield from chain_steps(judged, [proof.height], now_ns, memory)
    subject = f"state of {judged.chain.chain_id} under header {proof.height.revision_height}"
    state = judged.states.get(proof.height)
    yield Step(subject, Check("proof_height_known", SPEC, partial(_is_known, proof.height, state is not None)))
    if state is None:
        raise AssertionError("a predicate that failed ends the steps")
    path = merkle_path(trust.merkle_prefix, EVM_STATE_ROOT_KEY)
    checks = TendermintClient().membership_checks(
        state.client_state, state.consensus_state, proof.state_proof, path, proof.state_root
    )
    for check in checks:
        yield Step(subject, check)
    anchor = proof.anchor
    subject = f"contract 0x{anchor.contract.hex()}"
    accounts: list[Account] = []
    yield Step(subject, Check("account_path_is_proven", SPEC, partial(_account, proof, accounts)))
    subject = f"anchor {anchor.index} of 0x{anchor.publisher.hex()}"
    for label, slot, word, nodes in zip(
        ("size_and_time_", "root_"), anchor.slots, anchor.words, proof.storage_proofs, strict=True
    ):
        for check in storage_checks(accounts[0].storage_root, slot, nodes, word, label):
            yield Step(subject, check)


def _is_expected(what: str, got: bytes, expected: bytes) -> None:
    if got != expected:
        raise PredicateFailed(
            f"{what}_is_expected", f"the anchor is of another {what}", f"0x{got.hex()}", f"0x{expected.hex()}"
        )


def _is_known(height: Height, known: bool) -> None:
    if not known:
        raise PredicateFailed("proof_height_known", "the file has no header at the proof's height", got=height)


def _account(proof: AnchorProof, found: list[Account]) -> None:
    account = verify_account(proof.state_root, proof.anchor.contract, proof.account_proof)
    if account is None:
        raise PredicateFailed("account_path_is_proven", "there is no such contract", got=proof.anchor.contract)
    found.append(account)


def judge_entry(data: bytes, anchor: Anchor | None, bundle_digest: bytes | None) -> EntryReport:
    """Whether the entry in a proof file is under its root, that root is the anchor's, and it is of that bundle."""
    decoded: list[EntryProof] = []
    check = Check("proof_is_canonical", SPEC, lambda: decoded.append(decode_entry_proof(data)))
    verdicts = [Verdict("proof", verdict) for verdict in audit_checks([check])]
    if not decoded:
        return EntryReport(tuple(verdicts), None)
    proof = decoded[0]
    subject = f"entry {proof.proof.index} of {proof.proof.total}"
    checks = [*merkle.checks(proof.proof, proof.root, encode_entry(proof.entry))]
    if anchor is not None:
        checks.append(Check("root_is_anchored", SPEC, partial(_is_anchored, proof, anchor)))
    if bundle_digest is not None:
        checks.append(Check("entry_is_of_bundle", SPEC, partial(_is_of_bundle, proof, bundle_digest)))
    verdicts += [Verdict(subject, verdict) for verdict in audit_checks(checks)]
    return EntryReport(tuple(verdicts), proof if verdicts[-1].check.held else None)


def _is_anchored(proof: EntryProof, anchor: Anchor) -> None:
    if (proof.proof.total, proof.root) != (anchor.size, anchor.root):
        raise PredicateFailed(
            "root_is_anchored",
            "the proof leads to another root than the anchor: make it for the anchor's size",
            f"{proof.proof.total} entries, {proof.root.hex()}",
            f"{anchor.size} entries, {anchor.root.hex()}",
        )


def _is_of_bundle(proof: EntryProof, digest: bytes) -> None:
    got = proof.entry.bundle if isinstance(proof.entry, BundleEntry) else None
    if got != digest:
        raise PredicateFailed("entry_is_of_bundle", "the entry is of another bundle", got, digest)


def log_checks(leaves: list[bytes], anchor: Anchor) -> Iterator[Check]:
    """That a log with these leaf hashes began as the anchor says."""
    yield Check("log_reaches_the_anchor", SPEC, partial(_reaches, len(leaves), anchor.size))
    yield Check("anchored_root_matches", SPEC, partial(_root_matches, leaves, anchor))


def _reaches(size: int, anchored: int) -> None:
    if size < anchored:
        raise PredicateFailed("log_reaches_the_anchor", "entries are missing at the end", size, f">= {anchored}")


def _root_matches(leaves: list[bytes], anchor: Anchor) -> None:
    got = merkle.Frontier(leaves[: anchor.size]).root()
    if got != anchor.root:
        raise PredicateFailed("anchored_root_matches", "the log was rewritten after this anchor", got, anchor.root)


def _run(step: Step) -> Verdict:
    error: VerificationError | None = None
    try:
        step.check.run()
    except VerificationError as refused:
        error = refused
    return Verdict(step.subject, CheckVerdict(step.check.name, step.check.source, error))
