"""Area data-integrity-ecdsa, and the EdDSA formats of area w3c: proofs over canonical JSON with every value on the way to them.

Suites over RDF canonicalization are named as not supported.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hutong.light_clients.interface import PredicateFailed
from hutong.light_clients.interface.judge import VERIFY
from hutong.relay.services.identity.rules.dids.base58 import decode_multibase, encode_base58
from hutong.relay.services.identity.rules.dids.multikey import parse_multikey
from hutong.relay.services.identity.rules.jcs import canonical_json
from hutong.relay.services.identity.rules.jose import VerificationKey, read_json_object
from hutong.relay.services.identity.rules.vc2 import (
    MAX_DOCUMENT_BYTES,
    SUITES,
    judge_credential_model,
    judge_integrity,
    signed_bytes,
)
from tests.vectors.own_lists import Area, judges_area
from tests.vectors.vector_registry import Entry, Group, Verification, runs

NOT_SUPPORTED = "RDF canonicalization is not supported"
NOW_NS = 1_900_000_000 * 10**9
"""None of these proofs expires."""
DID_KEY = "did:key:"


def document_of(entry: Entry) -> dict[str, Any]:
    return read_json_object(entry.bytes(), "document", MAX_DOCUMENT_BYTES)


def proofs_of(document: dict[str, Any]) -> list[dict[str, Any]]:
    proof = document["proof"]
    return proof if isinstance(proof, list) else [proof]


def method_key(url: str) -> VerificationKey:
    """The key that a `did:key` URL holds."""
    return parse_multikey(url.partition("#")[0].removeprefix(DID_KEY), "method")


def is_canonical_json(document: dict[str, Any]) -> bool:
    return all(proof["cryptosuite"] in SUITES for proof in proofs_of(document))


def whole_document(document: dict[str, Any]) -> None:
    """It is a credential, its proofs verify, and neither does after a change of the document or of a proof's options."""
    judge_credential_model(VERIFY, document)
    methods = {proof["verificationMethod"]: method_key(proof["verificationMethod"]) for proof in proofs_of(document)}
    assert judge_integrity(VERIFY, document, methods, NOW_NS) == len(proofs_of(document))
    forged = {**document, "issuer": "https://another.example"}
    redated = {**document, "proof": [{**proof, "created": "2023-02-24T23:36:39Z"} for proof in proofs_of(document)]}
    for changed in (forged, redated):
        try:
            judge_integrity(VERIFY, changed, methods, NOW_NS)
        except PredicateFailed as error:
            assert error.predicate == "proof_verifies"
        else:
            raise AssertionError("a changed document was accepted")


def values_of(document: dict[str, Any]) -> tuple[set[str], list[dict[str, Any]]]:
    """Each value on the way to the proof as text, hashes and signatures in hex too; and the options."""
    texts: set[str] = set()
    configurations = []
    unsigned = {name: value for name, value in document.items() if name != "proof"}
    for proof in proofs_of(document):
        options = {name: value for name, value in proof.items() if name != "proofValue"}
        configurations.append(options)
        if "@context" in options:
            unsigned = {**unsigned, "@context": options["@context"]}
        hashed = signed_bytes(unsigned, options, method_key(proof["verificationMethod"]).algorithm)
        half = len(hashed) // 2
        signature = decode_multibase(proof["proofValue"], "proofValue")
        assert "z" + encode_base58(signature) == proof["proofValue"]
        texts |= {canonical_json(unsigned).decode(), canonical_json(options).decode(), proof["proofValue"]}
        texts |= {part.hex() for part in (hashed, hashed[:half], hashed[half:], signature)}
    return texts, configurations


def value_is_made(entry: Entry, document: dict[str, Any]) -> None:
    texts, configurations = values_of(document)
    if entry.path.suffix == ".json":
        assert document_of(entry) in configurations
    else:
        assert entry.text().strip() in texts


@judges_area("data-integrity-ecdsa")
def ecdsa(area: Area) -> Iterator[Verification]:
    """By folder: a signed document, and the values on the way to its proof; keys and unsigned documents beside."""
    folders: dict[Path, list[Entry]] = {}
    for entry in area.entries:
        folders.setdefault(entry.path.parent, []).append(entry)
    for entries in folders.values():
        signed = [(entry, document_of(entry)) for entry in entries if entry.expected.startswith("valid")]
        for entry, document in signed:
            if is_canonical_json(document):
                yield Verification(entry.file, lambda document=document: whole_document(document), of=(entry,))
            else:
                yield Verification(
                    f"{entry.file}: refused", lambda d=document: judge_integrity(VERIFY, d, {}, 0), False, of=(entry,)
                )
                yield Verification(entry.file, lambda: None, unchecked=NOT_SUPPORTED, of=(entry,))
        ours = [document for _, document in signed if is_canonical_json(document)]
        for entry in entries:
            if entry.expected.startswith("facts"):
                yield from facts(entry)
            elif not entry.expected.startswith("valid"):
                if ours:
                    yield Verification(
                        entry.file, lambda entry=entry, ours=ours: value_is_made(entry, ours[0]), of=(entry,)
                    )
                else:
                    yield Verification(entry.file, lambda: None, unchecked=NOT_SUPPORTED, of=(entry,))


def facts(entry: Entry) -> Iterator[Verification]:
    document = document_of(entry)

    def run():
        if "publicKeyMultibase" in document:
            parse_multikey(document["publicKeyMultibase"], "key")
        else:
            judge_credential_model(VERIFY, document)

    yield Verification(entry.file, run, of=(entry,))


@runs("w3c-data-integrity-doc")
def signed_documents(entry: Entry, group: Group) -> Iterator[Verification]:
    document = document_of(entry)
    if is_canonical_json(document):
        yield Verification("proofs", lambda: whole_document(document))
    else:
        yield Verification("proofs", lambda: None, unchecked=NOT_SUPPORTED)


@runs("w3c-eddsa-step-text", "w3c-eddsa-proof-config")
def eddsa_values(entry: Entry, group: Group) -> Iterator[Verification]:
    documents = [document_of(other) for other in group.entries if other.format == "w3c-data-integrity-doc"]
    ours = [document for document in documents if is_canonical_json(document)]
    if ours:
        yield Verification(entry.role or "value", lambda: value_is_made(entry, ours[0]))


@runs("w3c-eddsa-input")
def eddsa_inputs(entry: Entry, group: Group) -> Iterator[Verification]:
    """Keys, or a document; secrets beside the keys are not read."""

    def keys(value: Any) -> Iterator[str]:
        for name, member in value.items():
            if name == "publicKeyMultibase":
                yield member
            elif isinstance(member, dict):
                yield from keys(member)

    def run():
        document = document_of(entry)
        found = list(keys(document))
        for text in found:
            parse_multikey(text, "key")
        if not found:
            judge_credential_model(VERIFY, document)

    yield Verification(entry.role or "input", run)
