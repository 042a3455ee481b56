"""Whether an entry stands under a root that a publisher anchored on a chain. Offline, like all here."""

from collections.abc import Iterable
from dataclasses import dataclass

from hutong.light_clients.interface import PredicateFailed, VerificationError, cited, rule
from hutong.light_clients.proofs import merkle
from hutong.light_clients.records import Observation, ObservationKey, SlotPlace
from hutong.relay.archive.anchor_proof import AnchoredEntry, AnchorPlace, decode_anchored_entry
from hutong.relay.archive.anchored_root import AnchoredRoot, item_slots
from hutong.relay.archive.record_bundle import RecordKey
from hutong.relay.audit.inquiry import Inquiry, Verdict
from hutong.relay.audit.records import Finding

SPEC = "docs/spec/anchors.md"


@dataclass(frozen=True, slots=True)
class ExpectedAnchor:
    """What the reader was told before: anybody may deploy a contract, and publish anything under an own address.

    20 bytes each. `entry`: the bytes that are asked about; None: whichever the file holds.
    """

    contract: bytes
    publisher: bytes
    entry: bytes | None = None


@dataclass(frozen=True, slots=True)
class AnchoredEntryReport:
    """`shown` is given only where every predicate held."""

    verdicts: tuple[Verdict, ...]
    shown: AnchoredEntry | None


def judge_anchored_entry(
    data: bytes, expected: ExpectedAnchor, anchored: AnchoredRoot | None = None
) -> AnchoredEntryReport:
    """Every predicate of a proof file in order; the first failure ends it.

    Args:
        data: the file, of any origin.
        anchored: what stands at the file's place on the chain, as the reader believes it; None: the root is compared
            with nothing, so that the file says nothing of a chain.
    """
    verdicts: list[Verdict] = []
    inquiry = Inquiry(verdicts.append)
    try:
        shown = inquiry.about("proof")(proof_is_canonical, data)
        judge = inquiry.about(f"anchor {shown.place.index} of 0x{shown.place.publisher.hex()}")
        judge(anchor_is_expected, shown.place, expected)
        of_entry = inquiry.about(f"entry {shown.proof.index} of {shown.proof.total}")
        if expected.entry is not None:
            of_entry(entry_is_expected, shown, expected.entry)
        merkle.judge_inclusion(of_entry, shown.proof, shown.root, shown.entry)
        if anchored is not None:
            judge(root_is_anchored, shown, anchored)
    except VerificationError as error:
        if not inquiry.refused_by_a_rule(error):
            raise
        return AnchoredEntryReport(tuple(verdicts), None)
    return AnchoredEntryReport(tuple(verdicts), shown)


proof_is_canonical = cited(decode_anchored_entry, SPEC, "proof_is_canonical")


@rule(SPEC)
def anchor_is_expected(place: AnchorPlace, expected: ExpectedAnchor) -> None:
    """Contract and publisher are those that the reader was told of.

    Raises:
        PredicateFailed: they are others; `got` and `expected` are `0x…`.
    """
    got, wanted = (place.contract, place.publisher), (expected.contract, expected.publisher)
    if got != wanted:
        raise PredicateFailed(
            "anchor_is_expected",
            "the proof is of another contract or publisher",
            " by ".join(f"0x{one.hex()}" for one in got),
            " by ".join(f"0x{one.hex()}" for one in wanted),
        )


@rule(SPEC)
def entry_is_expected(shown: AnchoredEntry, entry: bytes) -> None:
    """The file's entry is the reader's, to the byte.

    Raises:
        PredicateFailed: it is another; `got` and `expected` are leaf hashes.
    """
    if shown.entry != entry:
        raise PredicateFailed(
            "entry_is_expected", "the proof is of another entry", shown.proof.leaf_hash, merkle.leaf_hash(entry)
        )


@rule(SPEC)
def root_is_anchored(shown: AnchoredEntry, anchored: AnchoredRoot) -> None:
    """The path leads to the anchored root, in a tree of as many entries.

    Raises:
        PredicateFailed: another root or another number stands there.
    """
    if (shown.root, shown.proof.total) != (anchored.root, anchored.count):
        raise PredicateFailed(
            "root_is_anchored",
            "the proof leads to another root than the anchor",
            f"{shown.proof.total} entries, {shown.root.hex()}",
            f"{anchored.count} entries, {anchored.root.hex()}",
        )


@rule(SPEC)
def anchor_is_shown(findings: Iterable[Finding], place: AnchorPlace, client: str | None = None) -> AnchoredRoot:
    """A record shows both words of the anchor. Returns what they say.

    Args:
        findings: of a record bundle that holds: of the chain's own state, or of a hub that has observed it.
        client: the hub's client of the chain, where the record is the hub's; None: the record is the chain's.

    Raises:
        PredicateFailed: a word is missing, or the list has no such item.
        MalformedInput: `client` is not an identifier.
    """
    shown = dict(filter(None, (_word_of(one) for one in findings)))
    slots = [SlotPlace(place.contract, slot) for slot in item_slots(place.publisher, place.index)]
    keys = [slot if client is None else ObservationKey.of(client, slot).to_bytes() for slot in slots]
    words = [shown.get(key) for key in keys]
    root, window = words
    if root is None or window is None:
        missing = [f"0x{slot.slot.hex()}" for slot, word in zip(slots, words, strict=True) if word is None]
        raise PredicateFailed(
            "anchor_is_shown",
            f"the record shows no word of 0x{place.contract.hex()} at {' and '.join(missing)}",
            got=len(shown),
        )
    return AnchoredRoot.of_words(root, window)


def _word_of(finding: Finding) -> tuple[SlotPlace | bytes, bytes] | None:
    """Place and word, for a statement that is one; a value that is absent is none."""
    what, value = finding.statement.what, finding.statement.value
    if isinstance(what, SlotPlace) and value is not None:
        return what, value
    if isinstance(what, RecordKey) and isinstance(finding.said, Observation) and finding.said.value is not None:
        return what.key, finding.said.value
    return None
