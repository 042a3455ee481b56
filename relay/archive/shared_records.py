"""Records of a hub under one multiproof, whose shared nodes are said once, instead of a proof for each; and acceptances on them."""

from dataclasses import replace

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.proofs.ics23 import decode_merkle_proof
from hutong.light_clients.records.gathering import ShownKey, gather
from hutong.light_clients.records.multiproof import Claim
from hutong.relay.archive.acceptance import Acceptance, Shown, ShownChunk, ShownEntry
from hutong.relay.archive.record_bundle import RecordBundle, RecordKey


def share_proofs(bundle: RecordBundle) -> RecordBundle:
    """The same bundle with one multiproof; as it is where it has one. It is as true as it was: whoever uses it judges it.

    Args:
        bundle: of a hub.

    Raises:
        MalformedInput: the bundle is not of a hub, or a proof cannot be read.
        PredicateFailed: the proofs are not of one root, or not of their keys.
    """
    if bundle.multiproof is not None:
        return bundle
    proofs = []
    for statement in bundle.statements:
        if not isinstance(statement.what, RecordKey) or statement.proof is None:
            raise MalformedInput("record.statements", "are not all records of a hub")
        layers = decode_merkle_proof(statement.proof)
        if len(layers) != 1:
            raise MalformedInput("record.statements.proof", "layers of a proof of the hub's one tree", len(layers), 1)
        proofs.append(ShownKey(statement.what.key, layers[0]))
    _, multiproof = gather(proofs)
    statements = tuple(replace(statement, proof=None) for statement in bundle.statements)
    return replace(bundle, statements=statements, multiproof=multiproof)


def claims_of(bundle: RecordBundle) -> tuple[Claim, ...]:
    """What its statements say, as a multiproof takes it: ascending by H(key).

    Raises:
        MalformedInput: a key or value out of bounds.
    """
    records = [(one.what.key, one.value or b"") for one in bundle.statements if isinstance(one.what, RecordKey)]
    return tuple(sorted((Claim(*record) for record in records), key=lambda claim: claim.path))


def acceptance_of_records(
    bundle: RecordBundle, issuer: bytes, shown: Shown, chunk: ShownChunk, entry: ShownEntry | None = None
) -> Acceptance:
    """The acceptance that stands on the bundle's records. It is as true as its parts: whoever uses it judges it.

    Args:
        bundle: of a hub; each of its statements says a value.

    Raises:
        MalformedInput: the bundle is not of a hub, a record is not there, or a proof cannot be read.
        PredicateFailed: the proofs are not of one root, or not of their keys.
    """
    shared = share_proofs(bundle)
    if shared.multiproof is None or any(one.value is None for one in shared.statements):
        raise MalformedInput("record.statements", "are not all records of a hub that are there")
    return Acceptance(shared.chain, shared.height, issuer, claims_of(shared), shared.multiproof, shown, chunk, entry)
