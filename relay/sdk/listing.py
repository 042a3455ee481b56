"""All pages of a list, one after the other."""

from collections.abc import Callable
from typing import Any

from hutong.relay.schemas.identity import OrganisationList
from hutong.relay.schemas.messages import DeadLetterList, MessageList
from hutong.relay.schemas.records import ObservationList
from hutong.relay.sdk import calls
from hutong.relay.sdk.calls import Call, Filters
from hutong.relay.sdk.errors import BadAnswer, InvalidArgument
from hutong.relay.sdk.plan import Give, Plan, ask

MAX_PAGE = 100
MAX_EMPTY_PAGES = 1_000
"""In a row: a page may be empty where few of many messages match, but a list must come to its end."""


def all_messages(filters: Filters, page_items: int) -> Plan[None]:
    """The plan that gives every message that fits, newest first; a page is read when the one before is used up.

    Raises:
        InvalidArgument: `page_items` is not 1 to MAX_PAGE, or a time in `filters` has no zone.
        BadAnswer: a page names itself as the next, or more than MAX_EMPTY_PAGES in a row have no item.
    """
    return _all(lambda cursor: calls.messages(filters, cursor, page_items), page_items)


def all_dead_letters(page_items: int) -> Plan[None]:
    """The plan that gives every dead letter, newest first; a page is read when the one before is used up.

    Raises:
        InvalidArgument: `page_items` is not 1 to MAX_PAGE.
        BadAnswer: as `all_messages`.
    """
    return _all(lambda cursor: calls.dead_letters(cursor, page_items), page_items)


def all_observations(hub: str | None, page_items: int) -> Plan[None]:
    """The plan that gives every observation of a hub in the order of their keys.

    Raises:
        InvalidArgument: `page_items` is not 1 to MAX_PAGE.
        BadAnswer: as `all_messages`.
    """
    return _all(lambda cursor: calls.observations(hub, cursor, page_items), page_items)


def all_organisations(hub: str | None, page_items: int) -> Plan[None]:
    """The plan that gives every organisation of a hub in the order of their DIDs.

    Raises:
        InvalidArgument: `page_items` is not 1 to MAX_PAGE.
        BadAnswer: as `all_messages`.
    """
    return _all(lambda cursor: calls.organisations(hub, cursor, page_items), page_items)


def _all(
    page_from: Callable[
        [str | None], Call[MessageList] | Call[DeadLetterList] | Call[ObservationList] | Call[OrganisationList]
    ],
    page_items: int,
) -> Plan[None]:
    if not 1 <= page_items <= MAX_PAGE:
        raise InvalidArgument("page_items", f"must be 1 to {MAX_PAGE}")
    cursor, empty = None, 0
    while True:
        call: Call[Any] = page_from(cursor)
        page = yield from ask(call)
        for item in page.items:
            yield Give(item)
        if page.next is None:
            return
        empty = 0 if page.items else empty + 1
        if page.next == cursor or empty > MAX_EMPTY_PAGES:
            raise BadAnswer(call.what, "it goes on for ever without an item")
        cursor = page.next
