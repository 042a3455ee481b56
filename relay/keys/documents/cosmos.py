"""What a key agrees to sign on Cosmos chains: a SignDoc that is signed by it alone, and says for which chain."""

from dataclasses import dataclass

from hutong.light_clients.crypto.hashes import sha256
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.protobuf.canonical import MessageT, parse_canonical
from hutong.light_clients.protobuf.cosmos_tx_pb2 import AuthInfo, Secp256k1PublicKey, SignDoc, TxBody
from hutong.relay.keys.documents.document import DocumentKind, Hashing
from hutong.relay.keys.errors import ForeignDocument

MAX_DOCUMENT_BYTES = 2**20
SECP256K1_TYPE_URL = "/cosmos.crypto.secp256k1.PubKey"
SIGN_MODE_DIRECT = 1
_AMOUNT_DIGITS = 77


@dataclass(frozen=True, slots=True)
class CosmosTransaction:
    """A SignDoc of one direct signer, parsed by `parse_cosmos_transaction`.

    `messages` are the type URLs in their order; `fee` pairs denominations with amounts.
    """

    preimage: bytes
    chain_id: str
    public_key: bytes
    account_number: int
    sequence: int
    messages: tuple[str, ...]
    fee: tuple[tuple[str, int], ...]

    kind = DocumentKind.COSMOS_TRANSACTION
    hashing = Hashing.SHA256

    @property
    def digest(self) -> bytes:
        """SHA-256 of the SignDoc (SIGN_MODE_DIRECT)."""
        return sha256(self.preimage)

    @property
    def summary(self) -> str:
        """See `SigningDocument`."""
        fee = ",".join(f"{amount}{denom}" for denom, amount in self.fee) or "nothing"
        first = self.messages[0][:80]
        more = f" and {len(self.messages) - 1} more" if len(self.messages) > 1 else ""
        return f"{self.kind} on {self.chain_id} sequence {self.sequence}: {first}{more}, fee {fee}"


def parse_cosmos_transaction(document: bytes) -> CosmosTransaction:
    """The content of a SignDoc in canonical encoding with one direct signer of secp256k1.

    Raises:
        ForeignDocument: it is anything else.
    """
    parsed = _parse(SignDoc, document, "is no SignDoc")
    auth_info = _parse(AuthInfo, parsed.auth_info_bytes, "has no AuthInfo")
    body = _parse(TxBody, parsed.body_bytes, "has no TxBody")
    if not parsed.chain_id:
        raise ForeignDocument("the document names no chain")
    if not body.messages or not auth_info.HasField("fee"):
        raise ForeignDocument("the document has no messages or no fee")
    if len(auth_info.signer_infos) != 1:
        raise ForeignDocument(f"the document has {len(auth_info.signer_infos)} signers, expected 1")
    (signer,) = auth_info.signer_infos
    if signer.public_key.type_url != SECP256K1_TYPE_URL:
        raise ForeignDocument("the document's signer is not a secp256k1 key")
    names = (
        parsed.chain_id,
        *(message.type_url for message in body.messages),
        *(coin.denom for coin in auth_info.fee.amount),
    )
    if not all(name.isprintable() for name in names):
        # Records and refusals say them in one line.
        raise ForeignDocument("the document has a name that is not printable")
    if signer.mode_info.single.mode != SIGN_MODE_DIRECT:
        raise ForeignDocument("the document is not for direct signing")
    return CosmosTransaction(
        bytes(document),
        str(parsed.chain_id),
        bytes(_parse(Secp256k1PublicKey, signer.public_key.value, "has no public key").key),
        int(parsed.account_number),
        int(signer.sequence),
        tuple(str(message.type_url) for message in body.messages),
        tuple((str(coin.denom), _amount(coin.amount)) for coin in auth_info.fee.amount),
    )


def check_cosmos_transaction(found: CosmosTransaction, public_key: bytes, chain_id: str | None) -> None:
    """`chain_id` None takes any chain.

    Raises:
        ForeignDocument: the document is of another key or chain.
    """
    if chain_id is not None and found.chain_id != chain_id:
        raise ForeignDocument(f"the document is for chain {found.chain_id[:64]!r}, not {chain_id!r}")
    if found.public_key != public_key:
        raise ForeignDocument("the document names another public key")


def _amount(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > _AMOUNT_DIGITS:
        raise ForeignDocument("a fee of the document is not a number")
    return int(text)


def _parse(message_type: type[MessageT], data: bytes, otherwise: str) -> MessageT:
    try:
        return parse_canonical(message_type, data, "document", MAX_DOCUMENT_BYTES)
    except MalformedInput:
        raise ForeignDocument(f"the document {otherwise} in canonical encoding") from None
