"""Whether a root that a file shows stands on the hub, and whether an entry stands under a root. Offline, like all here."""

from dataclasses import dataclass

from hutong.light_clients.ibc.commitment import merkle_path
from hutong.light_clients.interface import Height, Judge, PredicateFailed, VerificationError, cited, rule
from hutong.light_clients.proofs import merkle
from hutong.light_clients.proofs.mpt import Account, judge_storage, verify_account
from hutong.light_clients.tendermint.client import TendermintClient
from hutong.relay.archive.anchor import (
    EVM_STATE_ROOT_KEY,
    Anchor,
    AnchorProof,
    EntryProof,
    decode_anchor,
    decode_entry_proof,
)
from hutong.relay.archive.bundle import Bundle
from hutong.relay.archive.checkpoint import Checkpoint, TendermintTrust
from hutong.relay.archive.store.entries import BundleEntry, encode_entry
from hutong.relay.audit.auditor import MissingTrust
from hutong.relay.audit.blocks import ProvenState
from hutong.relay.audit.chains import ChainCase, JudgedChain, judge_chain
from hutong.relay.audit.inquiry import Inquiry, Verdict
from hutong.relay.audit.memory import HeaderMemory
from hutong.relay.audit.tendermint import TendermintRules

SPEC = "docs/spec/archive.md"


@dataclass(frozen=True, slots=True)
class AnchorReport:
    """`anchor` and `trust` are given only where every predicate held."""

    verdicts: tuple[Verdict, ...]
    anchor: Anchor | None
    trust: str

    @property
    def is_valid(self) -> bool:
        """Whether every predicate held."""
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

    Args:
        data: the file, of any origin.
        now_ns: time of judgement, nanoseconds of Unix time.
        contract, publisher: the 20 bytes of each that the reader was told before. Anybody may deploy a contract, and
            write anything under an address of their own.

    Raises:
        MissingTrust: the checkpoint is of another chain than the anchor, or not of a chain with a hub's state.
    """
    verdicts: list[Verdict] = []
    inquiry = Inquiry(verdicts.append)
    try:
        proof, judged = _judge_anchor(inquiry, data, checkpoint, now_ns, contract, publisher)
    except VerificationError as error:
        if not inquiry.refused_by_a_rule(error):
            raise
        return AnchorReport(tuple(verdicts), None, "")
    return AnchorReport(tuple(verdicts), proof.anchor, judged.mode)


def _judge_anchor(
    inquiry: Inquiry, data: bytes, checkpoint: Checkpoint, now_ns: int, contract: bytes, publisher: bytes
) -> tuple[AnchorProof, JudgedChain]:
    judge = inquiry.about("anchor")
    proof = judge(anchor_is_canonical, data)
    judge(contract_is_expected, proof.anchor.contract, contract)
    judge(publisher_is_expected, proof.anchor.publisher, publisher)
    trust = checkpoint.trust
    if proof.chain.chain_id != checkpoint.chain_id or not isinstance(trust, TendermintTrust):
        raise MissingTrust(f"the anchor is on hub {proof.chain.chain_id}, the checkpoint is of {checkpoint.chain_id}")
    memory = HeaderMemory()
    rules = TendermintRules(checkpoint, trust, proof.chain.validator_sets, memory)
    case = ChainCase(Bundle((), (proof.chain,)), proof.chain, checkpoint, rules, frozenset((proof.height,)))
    judged = judge_chain(inquiry, case, now_ns, memory)
    _judge_storage(inquiry, proof, judged, trust)
    return proof, judged


def _judge_storage(inquiry: Inquiry, proof: AnchorProof, judged: JudgedChain, trust: TendermintTrust) -> None:
    judge = inquiry.about(f"state of {judged.chain.chain_id} under header {proof.height.revision_height}")
    state = judge(proof_height_known, judged, proof.height)
    TendermintClient().judge_membership(
        judge,
        state.client_state,
        state.consensus_state,
        proof.state_proof,
        merkle_path(trust.merkle_prefix, EVM_STATE_ROOT_KEY),
        proof.state_root,
    )
    anchor = proof.anchor
    account = inquiry.about(f"contract 0x{anchor.contract.hex()}")(account_path_is_proven, proof)
    of_anchor = inquiry.about(f"anchor {anchor.index} of 0x{anchor.publisher.hex()}")
    for label, slot, word, nodes in zip(
        ("size_and_time_", "root_"), anchor.slots, anchor.words, proof.storage_proofs, strict=True
    ):
        judge_storage(of_anchor.under(label), account.storage_root, slot, nodes, word)


anchor_is_canonical = cited(decode_anchor, SPEC, "anchor_is_canonical")


@rule(SPEC)
def contract_is_expected(got: bytes, expected: bytes) -> None:
    """The anchor is of the contract that the reader was told of, 20 bytes each.

    Raises:
        PredicateFailed: it is of another; `got` and `expected` are `0x…`.
    """
    _demand_same("contract", got, expected)


@rule(SPEC)
def publisher_is_expected(got: bytes, expected: bytes) -> None:
    """The anchor is of the publisher that the reader was told of, 20 bytes each.

    Raises:
        PredicateFailed: it is of another; `got` and `expected` are `0x…`.
    """
    _demand_same("publisher", got, expected)


def _demand_same(what: str, got: bytes, expected: bytes) -> None:
    if got != expected:
        raise PredicateFailed(
            f"{what}_is_expected", f"the anchor is of another {what}", f"0x{got.hex()}", f"0x{expected.hex()}"
        )


@rule(SPEC)
def proof_height_known(judged: JudgedChain, height: Height) -> ProvenState:
    """The file has a believed header at the proof's height. Returns what it proves.

    Raises:
        PredicateFailed: it has none.
    """
    state = judged.states.get(height)
    if state is None:
        raise PredicateFailed("proof_height_known", "the file has no header at the proof's height", got=height)
    return state


@rule(SPEC)
def account_path_is_proven(proof: AnchorProof) -> Account:
    """The contract exists in the hub's EVM state, by its account proof under `state_root` (EIP-1186). Returns its
    account.

    Raises:
        PredicateFailed: the proof shows that it does not.
        VerificationError: the proof is not one of that root.
    """
    account = verify_account(proof.state_root, proof.anchor.contract, proof.account_proof)
    if account is None:
        raise PredicateFailed("account_path_is_proven", "there is no such contract", got=proof.anchor.contract)
    return account


def judge_entry(data: bytes, anchor: Anchor | None, bundle_digest: bytes | None) -> EntryReport:
    """Whether the entry in a proof file is under its root, and what else is asked of it; the first failure ends it.

    Args:
        data: the file, canonical JSON of docs/spec/archive.md; of any origin.
        anchor: the root must be this one's; None: the root is not compared with anything.
        bundle_digest: SHA-256 of the bundle that the entry must be of; None: of whichever bundle.
    """
    verdicts: list[Verdict] = []
    inquiry = Inquiry(verdicts.append)
    try:
        proof = inquiry.about("proof")(proof_is_canonical, data)
        judge = inquiry.about(f"entry {proof.proof.index} of {proof.proof.total}")
        merkle.judge_inclusion(judge, proof.proof, proof.root, encode_entry(proof.entry))
        if anchor is not None:
            judge(root_is_anchored, proof, anchor)
        if bundle_digest is not None:
            judge(entry_is_of_bundle, proof, bundle_digest)
    except VerificationError as error:
        if not inquiry.refused_by_a_rule(error):
            raise
        return EntryReport(tuple(verdicts), None)
    return EntryReport(tuple(verdicts), proof)


proof_is_canonical = cited(decode_entry_proof, SPEC, "proof_is_canonical")


@rule(SPEC)
def root_is_anchored(proof: EntryProof, anchor: Anchor) -> None:
    """The proof ends in the anchored root, and is made for as many entries.

    Raises:
        PredicateFailed: it leads to another root.
    """
    if (proof.proof.total, proof.root) != (anchor.size, anchor.root):
        raise PredicateFailed(
            "root_is_anchored",
            "the proof leads to another root than the anchor: make it for the anchor's size",
            f"{proof.proof.total} entries, {proof.root.hex()}",
            f"{anchor.size} entries, {anchor.root.hex()}",
        )


@rule(SPEC)
def entry_is_of_bundle(proof: EntryProof, digest: bytes) -> None:
    """The entry is of the bundle with this digest (SHA-256 of its bytes); a pruning is of none.

    Raises:
        PredicateFailed: it is of another bundle.
    """
    got = proof.entry.bundle if isinstance(proof.entry, BundleEntry) else None
    if got != digest:
        raise PredicateFailed("entry_is_of_bundle", "the entry is of another bundle", got, digest)


def judge_log(judge: Judge, leaves: list[bytes], anchor: Anchor) -> None:
    """A log with these leaf hashes (32 bytes each) began as the anchor says. Entries may be pruned: their hashes stay.

    Raises:
        VerificationError: as the judge raises where a rule does not hold.
    """
    judge(log_reaches_the_anchor, len(leaves), anchor.size)
    judge(anchored_root_matches, leaves, anchor)


@rule(SPEC)
def log_reaches_the_anchor(size: int, anchored: int) -> None:
    """The log is not shorter than it was when it was anchored.

    Raises:
        PredicateFailed: entries are missing at the end.
    """
    if size < anchored:
        raise PredicateFailed("log_reaches_the_anchor", "entries are missing at the end", size, f">= {anchored}")


@rule(SPEC)
def anchored_root_matches(leaves: list[bytes], anchor: Anchor) -> None:
    """The log's first `anchor.size` leaf hashes have the anchored root (RFC 6962).

    Raises:
        PredicateFailed: the log was rewritten after this anchor.
    """
    got = merkle.Frontier(leaves[: anchor.size]).root()
    if got != anchor.root:
        raise PredicateFailed("anchored_root_matches", "the log was rewritten after this anchor", got, anchor.root)
