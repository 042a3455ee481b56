"""Witnesses of a log: who must approve which entry, and who did ("DID Witnesses")."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from hutong.light_clients.interface import rule
from hutong.light_clients.interface.document import Document
from hutong.light_clients.interface.errors import PredicateFailed, VerificationError
from hutong.relay.services.identity.rules.dids.webvh.entry import MAX_VERSION_ID_CHARS
from hutong.relay.services.identity.rules.dids.webvh.parameters import LogParameters, WitnessRule
from hutong.relay.services.identity.rules.dids.webvh.proof import LogProof, proof_verifies, read_proof
from hutong.relay.services.identity.rules.drafts import DID_WEBVH
from hutong.relay.services.identity.rules.jose.strict_json import read_json

WITNESS_FILE: Final = "did-witness.json"
MAX_WITNESS_BYTES: Final = 1024 * 1024
MAX_WITNESSED_VERSIONS: Final = 2_048
MAX_PROOFS_OF_VERSION: Final = 64
MAX_WITNESS_PROOFS: Final = 2_048


@dataclass(frozen=True, slots=True)
class WitnessProof:
    """One proof over a `versionId`, read and not verified."""

    version_id: str
    proof: LogProof


def witnesses_of(before: LogParameters | None, after: LogParameters) -> WitnessRule | None:
    """Who approves an entry: those active before it; where there were none, those that it names itself."""
    if before is None or before.witness is None:
        return after.witness
    return before.witness


def read_witness_file(data: bytes) -> tuple[WitnessProof, ...]:
    """The proofs of `did-witness.json`. One that is of no suite or did:key counts for nobody, and is left out.

    Raises:
        MalformedInput: out of bounds, or not a list of versions with their proofs.
    """
    document = Document(read_json(data, WITNESS_FILE, MAX_WITNESS_BYTES), WITNESS_FILE)
    found: list[WitnessProof] = []
    listed = 0
    for version in document.items(MAX_WITNESSED_VERSIONS):
        with version.members() as fields:
            version_id = fields["versionId"].text(MAX_VERSION_ID_CHARS)
            proofs = fields["proof"].items(MAX_PROOFS_OF_VERSION)
        listed += len(proofs)
        if listed > MAX_WITNESS_PROOFS:
            raise document.refused(f"holds more than {MAX_WITNESS_PROOFS} proofs")
        for proof in proofs:
            try:
                found.append(WitnessProof(version_id, read_proof(proof)))
            except VerificationError:
                continue
    return tuple(found)


def approved_up_to(
    proofs: Sequence[WitnessProof], numbers: Mapping[str, int], witnesses: frozenset[str]
) -> dict[str, int]:
    """The newest version, by number, that each of `witnesses` approved: it stands for all before it.

    `numbers` are the versions of this log by id. A proof of another log, of a version that is not published yet, of
    somebody else, or that does not verify counts for nothing. The newest is tried first, so that few are verified.
    """
    relevant = [proof for proof in proofs if proof.version_id in numbers and proof.proof.multikey in witnesses]
    found: dict[str, int] = {}
    for proof in sorted(relevant, key=lambda proof: numbers[proof.version_id], reverse=True):
        witness = proof.proof.multikey
        if witness in found:
            continue
        try:
            proof_verifies(proof.proof, {"versionId": proof.version_id})
        except PredicateFailed:
            continue
        found[witness] = numbers[proof.version_id]
    return found


@rule(f"{DID_WEBVH}, Verifying Witness Proofs During Resolution")
def enough_witnesses_approved(demanded: WitnessRule, number: int, approved: Mapping[str, int]) -> None:
    """Distinct witnesses, as many as the threshold, approved this version or a later one that is published."""
    count = sum(approved.get(witness, 0) >= number for witness in demanded.witnesses)
    if count < demanded.threshold:
        raise PredicateFailed(
            "enough_witnesses_approved", f"version {number} is not witnessed", got=count, expected=demanded.threshold
        )
