"""What `GET /v1/messages` is asked."""

from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, BeforeValidator, ConfigDict

from hutong.relay.api.models.instants import parse_instant
from hutong.relay.api.requests import Cursor, Limit
from hutong.relay.ledger.values import messages as ledger_words
from hutong.relay.ledger.values.messages import MessageFilter
from hutong.relay.schemas.words import App, MessageState, known_word

State = Annotated[MessageState, BeforeValidator(known_word(MessageState))]
AppName = Annotated[App, BeforeValidator(known_word(App))]
Exact = Annotated[str | None, Query(min_length=1, max_length=2_048)]
Named = Annotated[str | None, Query(max_length=32)]
HashQuery = Annotated[str | None, Query(pattern="^0x[0-9a-fA-F]{64}$")]
TimeQuery = Annotated[str | None, Query(max_length=40, examples=["2026-11-26T00:00:00Z"])]


class MessageQuery(BaseModel):
    """Every filter is exact; `since` is in the range, `until` is not."""

    model_config = ConfigDict(frozen=True)

    state: State | None = None
    app: AppName | None = None
    source: Named = None
    destination: Named = None
    sender: Exact = None
    receiver: Exact = None
    transaction: HashQuery = None
    message_id: HashQuery = None
    since: TimeQuery = None
    until: TimeQuery = None
    cursor: Cursor = None
    limit: Limit = 50

    def wanted(self) -> MessageFilter:
        """The filter for the ledger's reader.

        Raises:
            ApiProblem: `since` or `until` is no time.
        """
        return MessageFilter(
            state=None if self.state is None else ledger_words.MessageState(self.state),
            app=None if self.app is None else ledger_words.App(self.app),
            source=self.source,
            destination=self.destination,
            sender=self.sender,
            receiver=self.receiver,
            transaction=self.transaction,
            message_id=self.message_id,
            sent_from_ns=None if self.since is None else parse_instant(self.since, "since"),
            sent_until_ns=None if self.until is None else parse_instant(self.until, "until"),
        )
