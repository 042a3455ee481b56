"""The proofs of a log: Data Integrity with `eddsa-jcs-2022`, by a key that the proof names itself (vc-di-eddsa §3.3)."""

import re
from dataclasses import dataclass
from typing import Final

from hutong.light_clients.crypto.ed25519 import SIGNATURE_BYTES, verify_strict
from hutong.light_clients.crypto.hashes import sha256
from hutong.light_clients.interface import rule
from hutong.light_clients.interface.document import Document
from hutong.light_clients.interface.errors import PredicateFailed
from hutong.relay.services.identity.rules.dids.base58 import decode_multibase
from hutong.relay.services.identity.rules.dids.instants import parse_instant_ns
from hutong.relay.services.identity.rules.dids.multikey import parse_multikey, write_multikey
from hutong.relay.services.identity.rules.drafts import DATA_INTEGRITY_EDDSA, DID_WEBVH
from hutong.relay.services.identity.rules.jcs import canonical_json
from hutong.relay.services.identity.rules.jose.algorithms import Algorithm
from hutong.relay.services.identity.rules.jose.jwk import VerificationKey
from hutong.relay.services.identity.rules.jose.strict_json import JsonObject

CRYPTOSUITE: Final = "eddsa-jcs-2022"
MAX_PROOF_VALUE_CHARS: Final = 90
MAX_INSTANT_CHARS: Final = 40
_METHOD = re.compile(r"did:key:(z[1-9A-HJ-NP-Za-km-z]{1,63})#(z[1-9A-HJ-NP-Za-km-z]{1,63})")


@dataclass(frozen=True, slots=True)
class LogProof:
    """One proof, read and not verified. `options` is what its signature covers of the proof itself."""

    key: VerificationKey
    signature: bytes
    options: JsonObject

    @property
    def multikey(self) -> str:
        """The key as logs name it."""
        return write_multikey(self.key)


def read_proof(document: Document) -> LogProof:
    """Every member is one that the suite knows; the key is the did:key of `verificationMethod`.

    Raises:
        MalformedInput: a member missing, unknown or of another form.
        PredicateFailed: another suite or purpose, or a did:key whose fragment names another key than its body.
    """
    with document.members() as fields:
        fields["type"].exactly("DataIntegrityProof")
        suite_is_the_permitted_one(fields["cryptosuite"].text(64))
        purpose_is_assertion(fields["proofPurpose"].text(64))
        key = proof_key(fields["verificationMethod"])
        created = fields.optional("created")
        if created is not None:
            parse_instant_ns(created.text(MAX_INSTANT_CHARS), created.path)
        value = fields["proofValue"]
        signature = decode_multibase(value.text(MAX_PROOF_VALUE_CHARS), value.path)
        if len(signature) != SIGNATURE_BYTES:
            raise value.refused("is not a signature", got=len(signature), expected=SIGNATURE_BYTES)
    options = {name: member for name, member in document.value.items() if name != "proofValue"}
    return LogProof(key, signature, options)


@rule(f"{DID_WEBVH}, method: did:webvh:1.0 permits one cryptosuite")
def suite_is_the_permitted_one(suite: str) -> None:
    """Checking a signature under the suite that its proof names would let the proof choose what was signed."""
    if suite != CRYPTOSUITE:
        raise PredicateFailed("suite_is_the_permitted_one", "another cryptosuite", got=suite, expected=CRYPTOSUITE)


@rule(f"{DID_WEBVH}, Authorized Keys")
def purpose_is_assertion(purpose: str) -> None:
    """A signature that was made to log in somewhere is no update."""
    if purpose != "assertionMethod":
        raise PredicateFailed("purpose_is_assertion", "another purpose", got=purpose, expected="assertionMethod")


@rule(f"{DID_WEBVH}, Witness DIDs and Reputation")
def proof_key(method: Document) -> VerificationKey:
    """The key that the did:key URL is. Body and fragment are one text: else one is verified and the other authorised."""
    match = _METHOD.fullmatch(method.text(256))
    if match is None:
        raise method.refused("is not did:key:<multikey>#<multikey>", got=method.value)
    if match[1] != match[2]:
        raise PredicateFailed("proof_key", "the fragment names another key", got=match[2], expected=match[1])
    key = parse_multikey(match[1], method.path)
    if key.algorithm is not Algorithm.EDDSA:
        raise PredicateFailed("proof_key", "a key of another suite", got=key.algorithm.value, expected="Ed25519")
    return key


@rule(f"{DATA_INTEGRITY_EDDSA} §3.3")
def proof_verifies(proof: LogProof, secured: JsonObject) -> None:
    """The signature is by the proof's key over both hashes: of its options, and of `secured`, which has no proof."""
    message = sha256(canonical_json(proof.options)) + sha256(canonical_json(secured))
    if not verify_strict(proof.key.coordinates, message, proof.signature):
        raise PredicateFailed("proof_verifies", "the signature does not verify", got=proof.multikey)
