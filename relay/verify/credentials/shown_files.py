"""What was shown to whom, from files: a presentation, or what a wallet prints for a contract's call; the list it is in, its log entry.

Nothing is judged here: an acceptance that is made of them is, whole.
"""

from dataclasses import dataclass
from pathlib import Path

from hutong.light_clients.interface import MalformedInput, VerificationError
from hutong.light_clients.interface.document import Document, HexForm, Members
from hutong.relay.archive.acceptance import (
    HolderCall,
    SealedClaim,
    Shown,
    ShownChunk,
    ShownEntry,
    ShownPresentation,
    ShownSeal,
)
from hutong.relay.audit.identity.seals import words_of_seal
from hutong.relay.services.identity.rules.acceptance.list_place import status_uri_names_a_list
from hutong.relay.services.identity.rules.jose import read_jws
from hutong.relay.services.identity.rules.sd_jwt import read_compact
from hutong.relay.services.identity.rules.seals.seal import Seal
from hutong.relay.services.identity.rules.status import (
    MAX_TOKEN_CHARS,
    TreeShape,
    list_claims_well_formed,
    status_claim_well_formed,
)
from hutong.relay.services.identity.rules.status.chunk_tree import layers_of, prove_chunk
from hutong.relay.services.identity.rules.status.list_claims import MAX_PAYLOAD_BYTES
from hutong.relay.verify.credentials.presentations import read_presentation
from hutong.relay.verify.inputs import UnusableInput, read_file

MAX_CALL_BYTES = 1024 * 1024
MAX_ITEMS = 256
MAX_LOG_FILE_BYTES = 65_536
_PREFIXED = HexForm.PREFIXED


@dataclass(frozen=True, slots=True)
class Showing:
    """What was shown, and its place: the issuer's DID (32 bytes; None where the credential names none), list and index."""

    shown: Shown
    issuer: bytes | None
    list_number: int
    index: int


def read_showing(path: Path, audience: str | None, nonce: str | None) -> Showing:
    """A presentation in its compact form, with who asked and the nonce; or JSON of `hutong wallet present-contract`, without.

    Raises:
        UnusableInput: the file is neither, or audience and nonce do not go with it.
    """
    text = read_presentation(path)
    is_call = text.lstrip().startswith("{")
    if is_call is not (audience is None) or is_call is not (nonce is None):
        raise UnusableInput("--audience and --nonce go with a presentation, and stand in what is shown to a contract")
    try:
        if is_call:
            return _call_of(Document.parse(read_file(path, MAX_CALL_BYTES), "call", MAX_CALL_BYTES))
        payload = read_jws(read_compact(text).issuer_jwt, "credential").claims()
        reference = status_claim_well_formed(payload.get("status"))
        number = status_uri_names_a_list(reference.uri)
    except VerificationError as error:
        raise UnusableInput(f"{path}: {error}") from None
    return Showing(ShownPresentation(text, audience or "", nonce or ""), None, number, reference.index)


def read_chunk(token_file: Path, index: int) -> ShownChunk:
    """The chunk in which `index` stands, and its path, out of the list's token. Who signed the token is not asked.

    Raises:
        UnusableInput: the file is no Status List Token of a list that a hub can have, or has no such index.
    """
    text = read_file(token_file, MAX_TOKEN_CHARS).decode("latin-1").strip()
    try:
        statuses = list_claims_well_formed(read_jws(text, "token", MAX_PAYLOAD_BYTES).claims()).statuses
        shape = TreeShape(statuses.bits, statuses.size)
        proof = prove_chunk(layers_of(shape, statuses.octets), shape.chunk_of(index))
    except VerificationError as error:
        raise UnusableInput(f"{token_file}: {error}") from None
    return ShownChunk(proof.chunk, proof.siblings)


def read_log_entry(path: Path) -> ShownEntry:
    """`{"entry": "0x…", "index": N, "aunts": ["0x…", …]}`: an entry of the issuer's log in the tree of the key's end.

    Raises:
        UnusableInput: another form.
    """
    try:
        with Document.parse(read_file(path, MAX_LOG_FILE_BYTES), "log", MAX_LOG_FILE_BYTES).members() as fields:
            entry = fields["entry"].hex_of_at_most(MAX_LOG_FILE_BYTES, _PREFIXED)
            index = fields["index"].integer(0, 2**53 - 1)
            return ShownEntry(entry, index, tuple(one.hex(32, _PREFIXED) for one in fields["aunts"].items(64)))
    except MalformedInput as error:
        raise UnusableInput(f"{path}: {error}") from None


def _call_of(document: Document) -> Showing:
    with document.members() as fields:
        seal = _seal(fields["seal"])
        fields.pass_over("key")
        signature = fields["sealSignature"].hex_of_at_most(65, _PREFIXED)
        claims = tuple(_claim(one) for one in fields["disclosures"].items(MAX_ITEMS))
        signed = fields["holderSignature"].hex_of_at_most(65, _PREFIXED)
        with fields["presentation"].members() as said:
            call = _holder_call(said, signed)
    return Showing(ShownSeal(words_of_seal(seal), signature, claims, call), seal.issuer, seal.list_number, seal.index)


def _seal(document: Document) -> Seal:
    with document.members() as fields:
        return Seal(
            fields["schema"].hex(32, _PREFIXED),
            fields["issuer"].hex(32, _PREFIXED),
            fields["list"].integer(0, 2**53 - 1),
            fields["index"].integer(0, 2**53 - 1),
            fields["notAfter"].integer(0, 2**53 - 1),
            fields["holder"].hex(20, _PREFIXED),
            fields["claimsRoot"].hex(32, _PREFIXED),
        )


def _claim(document: Document) -> SealedClaim:
    with document.members() as fields:
        return SealedClaim(
            fields["salt"].hex(32, _PREFIXED),
            fields["nameHash"].hex(32, _PREFIXED),
            fields["kind"].integer(0, 255),
            fields["value"].hex_of_at_most(1_024, _PREFIXED),
            tuple(step.hex(32, _PREFIXED) for step in fields["path"].items(64)),
        )


def _holder_call(fields: Members, signature: bytes) -> HolderCall:
    fields.pass_over("seal")
    return HolderCall(
        fields["chainId"].decimal(),
        fields["gate"].hex(20, _PREFIXED),
        fields["caller"].hex(20, _PREFIXED),
        fields["nonce"].decimal(),
        fields["deadline"].integer(0, 2**53 - 1),
        fields["call"].hex(32, _PREFIXED),
        signature,
    )
