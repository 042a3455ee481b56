"""Data Integrity proofs over canonical JSON, verified only: `eddsa-jcs-2022` and `ecdsa-jcs-2019`.

What is signed is the hash of the proof's options ‖ the hash of the document without its proofs, both in canonical JSON (RFC 8785).
Suites over RDF canonicalization need JSON-LD, and are not supported.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256, sha384
from typing import Final

from hutong.light_clients.interface.errors import MalformedInput, PredicateFailed, UnsupportedOperation
from hutong.light_clients.interface.judge import Judge, rule
from hutong.relay.services.identity.rules.dids.base58 import decode_multibase
from hutong.relay.services.identity.rules.drafts import DATA_INTEGRITY, DATA_INTEGRITY_ECDSA, DATA_INTEGRITY_EDDSA
from hutong.relay.services.identity.rules.jcs import canonical_json
from hutong.relay.services.identity.rules.jose import Algorithm, JsonObject, JsonValue, VerificationKey
from hutong.relay.services.identity.rules.uris import checked_uri
from hutong.relay.services.identity.rules.vc2.data_model import objects_of
from hutong.relay.services.identity.rules.vc2.date_time import date_time_ns

SUITES: Final = {
    "ecdsa-jcs-2019": frozenset({Algorithm.ES256, Algorithm.ES384}),
    "eddsa-jcs-2022": frozenset({Algorithm.EDDSA}),
}
"""By cryptosuite, the kinds of keys that it takes."""
ASSERTION: Final = "assertionMethod"
MAX_SIGNATURE_CHARS: Final = 160
"""Of 96 bytes some 133."""


@dataclass(frozen=True, slots=True)
class IntegrityProof:
    """One proof as it was read: `options` are all of its members but the signature."""

    options: JsonObject
    algorithms: frozenset[Algorithm]
    method: str
    signature: bytes


@rule(DATA_INTEGRITY + " §2.1")
def proof_well_formed(proof: JsonObject) -> IntegrityProof:
    """A `DataIntegrityProof` of a suite that is supported, with the URL of its key and a signature in multibase base58btc.

    Raises:
        MalformedInput: a member is missing or not of its type.
        UnsupportedOperation: another type or suite, or a proof over other proofs.
    """
    if proof.get("type") != "DataIntegrityProof":
        raise UnsupportedOperation(f"a proof of type {str(proof.get('type'))[:64]}")
    suite = proof.get("cryptosuite")
    algorithms = SUITES.get(suite) if isinstance(suite, str) else None
    if algorithms is None:
        raise UnsupportedOperation(f"cryptosuite {str(suite)[:64]}", f"{' and '.join(SUITES)} are supported")
    if "previousProof" in proof:
        raise UnsupportedOperation("a proof over another proof")
    value = proof.get("proofValue")
    if not isinstance(value, str) or len(value) > MAX_SIGNATURE_CHARS:
        raise MalformedInput(
            "proof.proofValue", f"is not a text of at most {MAX_SIGNATURE_CHARS} characters", got=value
        )
    return IntegrityProof(
        {name: member for name, member in proof.items() if name != "proofValue"},
        algorithms,
        checked_uri(proof.get("verificationMethod"), "proof.verificationMethod"),
        decode_multibase(value, "proof.proofValue"),
    )


@rule(DATA_INTEGRITY + " §4.4")
def proof_is_for_assertion(proof: IntegrityProof) -> None:
    """`proofPurpose` is the one of credentials: a signature that was made to log in does not pass for one.

    Raises:
        PredicateFailed: it is another, or missing.
    """
    purpose = proof.options.get("proofPurpose")
    if purpose != ASSERTION:
        raise PredicateFailed("proof_is_for_assertion", "another purpose", got=purpose, expected=ASSERTION)


@rule(DATA_INTEGRITY + " §4.4")
def proof_is_in_time(proof: IntegrityProof, now_ns: int) -> None:
    """`created` and `expires`, where they are there, are times, and `expires` has not come.

    Raises:
        MalformedInput: see `date_time_ns`.
        PredicateFailed: it has.
    """
    if "created" in proof.options:
        date_time_ns(proof.options["created"], "proof.created")
    if "expires" in proof.options:
        expires_ns = date_time_ns(proof.options["expires"], "proof.expires")
        if now_ns >= expires_ns:
            raise PredicateFailed("proof_is_in_time", "expired", got=now_ns, expected=expires_ns)


@rule(DATA_INTEGRITY_EDDSA + " §3.3.2, " + DATA_INTEGRITY_ECDSA + " §3.3.2")
def contexts_are_the_proofs(document: JsonObject, proof: IntegrityProof) -> JsonObject:
    """The document that was signed: without proofs, and with the contexts of the proof, where it has some.

    The suites let a document have further contexts after those of the proof. They were not signed, and can give a term
    another meaning, so they are refused.

    Raises:
        PredicateFailed: the document's contexts are not the proof's.
    """
    signed = {name: member for name, member in document.items() if name != "proof"}
    if "@context" not in proof.options:
        return signed
    wanted, held = _as_list(proof.options["@context"]), _as_list(document.get("@context"))
    if held != wanted:
        raise PredicateFailed("contexts_are_the_proofs", "the document has other contexts", got=held, expected=wanted)
    return {**signed, "@context": proof.options["@context"]}


def _as_list(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else [value]


def signed_bytes(signed: JsonObject, options: JsonObject, algorithm: Algorithm) -> bytes:
    """Hash of the options ‖ hash of the document, both in canonical JSON; SHA-384 for P-384, else SHA-256.

    Raises:
        MalformedInput: what canonical JSON cannot hold.
    """
    digest = sha384 if algorithm is Algorithm.ES384 else sha256
    return digest(canonical_json(options)).digest() + digest(canonical_json(signed)).digest()


@rule(DATA_INTEGRITY_EDDSA + " §3.3.7, " + DATA_INTEGRITY_ECDSA + " §3.3.7")
def proof_verifies(signed: JsonObject, proof: IntegrityProof, methods: Mapping[str, VerificationKey]) -> None:
    """The key that the issuer names under the proof's `verificationMethod` signed the document and the proof's options.

    Raises:
        PredicateFailed: the issuer names no such key, it is of another kind, or it did not sign this.
    """
    key = methods.get(proof.method)
    if key is None:
        raise PredicateFailed("proof_verifies", "not a key of the issuer", got=proof.method)
    if key.algorithm not in proof.algorithms:
        kinds = sorted(algorithm.value for algorithm in proof.algorithms)
        raise PredicateFailed("proof_verifies", "a key of another kind", key.algorithm.value, kinds)
    if not key.verifies(signed_bytes(signed, proof.options, key.algorithm), proof.signature):
        raise PredicateFailed("proof_verifies", "the signature does not verify", got=proof.method)


def judge_integrity(judge: Judge, document: JsonObject, methods: Mapping[str, VerificationKey], now_ns: int) -> int:
    """Every proof of a document, each by itself; how many there are, at least one.

    `methods` are the keys that the issuer may assert with, by URL: whose they are, and that they still are, is the caller's to know.

    Raises:
        MalformedInput, PredicateFailed, UnsupportedOperation: the first rule that does not hold.
    """
    proofs = tuple(objects_of(document, "proof"))
    for path, member in proofs:
        of_proof = judge if len(proofs) == 1 else judge.under(f"{path}: ")
        proof = of_proof(proof_well_formed, member)
        of_proof(proof_is_for_assertion, proof)
        of_proof(proof_is_in_time, proof, now_ns)
        signed = of_proof(contexts_are_the_proofs, document, proof)
        of_proof(proof_verifies, signed, proof, methods)
    return len(proofs)
