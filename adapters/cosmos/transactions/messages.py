"""Messages of ibc-go and the SDK, as a transaction carries them: a type URL with protobuf bytes.

Headers, misbehaviour and proofs pass unchanged: the Python light client's encoding of them is ibc-go's.
"""

from dataclasses import dataclass

from google.protobuf.any_pb2 import Any as ProtobufAny
from google.protobuf.message import Message as ProtobufMessage

from hutong.adapters.interface import (
    AcknowledgePacket,
    Message,
    NotSupported,
    RecvPacket,
    SubmitMisbehaviour,
    TimeoutPacket,
    UpdateClient,
)
from hutong.light_clients.ibc.packet import Acknowledgement, Packet, encode_acknowledgement, encode_packet
from hutong.light_clients.interface import Height
from hutong.light_clients.protobuf import ibc_pb2
from hutong.light_clients.protobuf.cosmos_tx_pb2 import (
    MsgAcknowledgement,
    MsgCreateClient,
    MsgRecvPacket,
    MsgRegisterCounterparty,
    MsgTimeout,
    MsgUpdateClient,
)

CLIENT_TYPE = "07-tendermint"
CLIENT_STATE_URL = "/ibc.lightclients.tendermint.v1.ClientState"
CONSENSUS_STATE_URL = "/ibc.lightclients.tendermint.v1.ConsensusState"
HEADER_URL = "/ibc.lightclients.tendermint.v1.Header"
MISBEHAVIOUR_URL = "/ibc.lightclients.tendermint.v1.Misbehaviour"

CREATE_CLIENT_URL = "/ibc.core.client.v1.MsgCreateClient"
UPDATE_CLIENT_URL = "/ibc.core.client.v1.MsgUpdateClient"
RECOVER_CLIENT_URL = "/ibc.core.client.v1.MsgRecoverClient"
REGISTER_COUNTERPARTY_URL = "/ibc.core.client.v2.MsgRegisterCounterparty"
SEND_PACKET_URL = "/ibc.core.channel.v2.MsgSendPacket"
RECV_PACKET_URL = "/ibc.core.channel.v2.MsgRecvPacket"
ACKNOWLEDGEMENT_URL = "/ibc.core.channel.v2.MsgAcknowledgement"
TIMEOUT_URL = "/ibc.core.channel.v2.MsgTimeout"
TRANSFER_URL = "/ibc.applications.transfer.v1.MsgTransfer"
SUBMIT_PROPOSAL_URL = "/cosmos.gov.v1.MsgSubmitProposal"
VOTE_URL = "/cosmos.gov.v1.MsgVote"
SEND_URL = "/cosmos.bank.v1beta1.MsgSend"


@dataclass(frozen=True, slots=True)
class SdkMessage:
    """What protobuf calls Any."""

    type_url: str
    value: bytes

    @classmethod
    def of(cls, type_url: str, message: ProtobufMessage) -> "SdkMessage":
        """The message in deterministic protobuf bytes, under the type URL that the SDK finds its handler by."""
        return cls(type_url, message.SerializeToString(deterministic=True))

    def to_any(self) -> ProtobufAny:
        """The protobuf Any that a TxBody or a proposal holds."""
        return ProtobufAny(type_url=self.type_url, value=self.value)


def encode_message(message: Message, signer: str) -> SdkMessage:
    """One message of a batch, signed by `signer` (bech32 text).

    Raises:
        NotSupported: an update of a client of another type than 07-tendermint.
    """
    match message:
        case UpdateClient():
            return _update(message.client_id, HEADER_URL, message.header, signer)
        case SubmitMisbehaviour():
            return _update(message.client_id, MISBEHAVIOUR_URL, message.misbehaviour, signer)
        case RecvPacket():
            received = MsgRecvPacket(
                packet=_packet(message.packet),
                proof_commitment=message.proof,
                proof_height=_height(message.proof_height),
                signer=signer,
            )
            return SdkMessage.of(RECV_PACKET_URL, received)
        case AcknowledgePacket():
            acknowledged = MsgAcknowledgement(
                packet=_packet(message.packet),
                acknowledgement=_acknowledgement(message.acknowledgement),
                proof_acked=message.proof,
                proof_height=_height(message.proof_height),
                signer=signer,
            )
            return SdkMessage.of(ACKNOWLEDGEMENT_URL, acknowledged)
        case TimeoutPacket():
            timed_out = MsgTimeout(
                packet=_packet(message.packet),
                proof_unreceived=message.proof,
                proof_height=_height(message.proof_height),
                signer=signer,
            )
            return SdkMessage.of(TIMEOUT_URL, timed_out)


def create_client_message(client_state: bytes, consensus_state: bytes, signer: str) -> SdkMessage:
    """MsgCreateClient of a 07-tendermint client. Whether the states fit each other is not checked here.

    Args:
        client_state, consensus_state: in the Python light client's encoding, which is ibc-go's.
        signer: bech32 text; this account alone may register the client's counterparty.
    """
    message = MsgCreateClient(
        client_state=ProtobufAny(type_url=CLIENT_STATE_URL, value=client_state),
        consensus_state=ProtobufAny(type_url=CONSENSUS_STATE_URL, value=consensus_state),
        signer=signer,
    )
    return SdkMessage.of(CREATE_CLIENT_URL, message)


def register_counterparty_message(
    client_id: str, counterparty_id: str, merkle_prefix: tuple[bytes, ...], signer: str
) -> SdkMessage:
    """MsgRegisterCounterparty. The chain takes it once, and only from the account that created the client."""
    message = MsgRegisterCounterparty(
        client_id=client_id,
        counterparty_merkle_prefix=merkle_prefix,
        counterparty_client_id=counterparty_id,
        signer=signer,
    )
    return SdkMessage.of(REGISTER_COUNTERPARTY_URL, message)


def _update(client_id: str, type_url: str, content: bytes, signer: str) -> SdkMessage:
    if not client_id.startswith(f"{CLIENT_TYPE}-"):
        raise NotSupported(f"updates of {client_id} on a Cosmos chain: only {CLIENT_TYPE} clients")
    message = MsgUpdateClient(
        client_id=client_id, client_message=ProtobufAny(type_url=type_url, value=content), signer=signer
    )
    return SdkMessage.of(UPDATE_CLIENT_URL, message)


def _packet(packet: Packet) -> ibc_pb2.Packet:
    return ibc_pb2.Packet.FromString(encode_packet(packet))


def _acknowledgement(acknowledgement: Acknowledgement) -> ibc_pb2.Acknowledgement:
    return ibc_pb2.Acknowledgement.FromString(encode_acknowledgement(acknowledgement))


def _height(height: Height) -> ibc_pb2.Height:
    return ibc_pb2.Height(revision_number=height.revision_number, revision_height=height.revision_height)
