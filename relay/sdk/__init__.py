"""A typed client of the HTTP API (docs/spec/api.md): `Hutong` for programs without an event loop, `TrioHutong` under
trio.

`pip install '.[sdk]'` in a checkout. Guide: docs/sdk.md.
"""

from hutong.relay.schemas.cases import CaseRun
from hutong.relay.schemas.identity import Organisation, OrganisationFile
from hutong.relay.schemas.messages import CheckedProof as Proof
from hutong.relay.schemas.messages import DeadLetter, Message, MessageSummary, TransactionStatus, Why
from hutong.relay.schemas.messages import SearchResult as Found
from hutong.relay.schemas.network import Chain, End, Path, Route, Token
from hutong.relay.schemas.network import Client as LightClient
from hutong.relay.schemas.network import TokenList as Tokens
from hutong.relay.schemas.operation import Bucket, Series, Status, Totals
from hutong.relay.schemas.records import Observation, ReaderProof, Record
from hutong.relay.schemas.sending import Submitted, UnsignedCosmos, UnsignedEvm
from hutong.relay.schemas.words import App, ClientStatus, MessageStage, MessageState, TransactionState
from hutong.relay.sdk.errors import (
    AnswerTooLarge,
    ApiProblem,
    BadAnswer,
    HutongError,
    InvalidArgument,
    NotSigned,
    TooSlow,
    TransactionFailed,
    Unreachable,
)
from hutong.relay.sdk.following import ChainsChanged, Event, MessageChanged, Reset
from hutong.relay.sdk.sending import Prepared, Sent
from hutong.relay.sdk.sync_client import Hutong
from hutong.relay.sdk.trio_client import TrioHutong

__all__ = [
    "AnswerTooLarge",
    "ApiProblem",
    "App",
    "BadAnswer",
    "Bucket",
    "CaseRun",
    "Chain",
    "ChainsChanged",
    "ClientStatus",
    "DeadLetter",
    "End",
    "Event",
    "Found",
    "Hutong",
    "HutongError",
    "InvalidArgument",
    "LightClient",
    "Message",
    "MessageChanged",
    "MessageStage",
    "MessageState",
    "MessageSummary",
    "NotSigned",
    "Observation",
    "Organisation",
    "OrganisationFile",
    "Path",
    "Prepared",
    "Proof",
    "ReaderProof",
    "Record",
    "Reset",
    "Route",
    "Sent",
    "Series",
    "Status",
    "Submitted",
    "Token",
    "Tokens",
    "TooSlow",
    "Totals",
    "TransactionFailed",
    "TransactionState",
    "TransactionStatus",
    "TrioHutong",
    "Unreachable",
    "UnsignedCosmos",
    "UnsignedEvm",
    "Why",
]
