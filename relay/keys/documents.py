"""What a key agrees to sign on Cosmos chains: a SignDoc that is signed by it alone, and says for which chain."""

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.protobuf.canonical import MessageT, parse_canonical
from hutong.light_clients.protobuf.cosmos_tx_pb2 import AuthInfo, Secp256k1PublicKey, SignDoc, TxBody

MAX_DOCUMENT_BYTES = 2**20
SECP256K1_TYPE_URL = "/cosmos.crypto.secp256k1.PubKey"
SIGN_MODE_DIRECT = 1


class ForeignDocument(ValueError):
    """Bytes that this key does not sign; the reason repeats nothing of them but a chain id."""


def read_document(document: bytes, public_key: bytes, chain_id: str | None) -> str:
    """The chain id of a SignDoc in canonical encoding with one direct signer, which is `public_key`.

    `chain_id` None takes any chain.

    Raises:
        ForeignDocument: it is anything else.
    """
    parsed = _parse(SignDoc, document, "is no SignDoc")
    auth_info = _parse(AuthInfo, parsed.auth_info_bytes, "has no AuthInfo")
    body = _parse(TxBody, parsed.body_bytes, "has no TxBody")
    if not parsed.chain_id or (chain_id is not None and parsed.chain_id != chain_id):
        raise ForeignDocument(f"the document is for chain {parsed.chain_id[:64]!r}, not {chain_id!r}")
    if not body.messages or not auth_info.HasField("fee"):
        raise ForeignDocument("the document has no messages or no fee")
    if len(auth_info.signer_infos) != 1:
        raise ForeignDocument(f"the document has {len(auth_info.signer_infos)} signers, expected 1")
    (signer,) = auth_info.signer_infos
    if signer.public_key.type_url != SECP256K1_TYPE_URL:
        raise ForeignDocument("the document's signer is not a secp256k1 key")
    if _parse(Secp256k1PublicKey, signer.public_key.value, "has no public key").key != public_key:
        raise ForeignDocument("the document names another public key")
    if signer.mode_info.single.mode != SIGN_MODE_DIRECT:
        raise ForeignDocument("the document is not for direct signing")
    return str(parsed.chain_id)


def _parse(message_type: type[MessageT], data: bytes, otherwise: str) -> MessageT:
    try:
        return parse_canonical(message_type, data, "document", MAX_DOCUMENT_BYTES)
    except MalformedInput:
        raise ForeignDocument(f"the document {otherwise} in canonical encoding") from None
