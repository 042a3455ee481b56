"""Documents as the API writes them."""

import copy

HASH = "0x" + "5e" * 32
SENDER = "0x" + "a1" * 20

SUMMARY = {
    "id": "alpha/client-0/7", "message_id": None, "app": "transfer", "state": "open", "stage": "sent",
    "source": {"chain": "alpha", "client": "client-0"}, "destination": {"chain": "beta", "client": None},
    "via": "hub", "sender": SENDER, "receiver": SENDER, "token": {"denom": "0x70", "amount": "12000000000000000000"},
    "sent_at": "2026-11-26T03:50:50.123Z", "updated_at": "2026-11-26T03:50:51.000Z", "settled_at": None,
    "timeout_at": "9999-12-31T23:59:59.000Z", "sent_transaction": HASH, "legs": ["alpha/client-0/7"], "waiting": None,
}  # fmt: skip

STATUS = {
    "name": "hutong", "version": "0.1.0", "time": "2026-11-26T03:50:50.123Z", "ledger": {"schema": "0004"},
    "chains": 3, "paths": 3, "inside_relay": True,
}  # fmt: skip


def summary(**changes):
    return copy.deepcopy(SUMMARY) | changes


def settled(**changes):
    done = {"state": "acknowledged", "stage": "settled", "settled_at": "2026-11-26T03:51:00.000Z"}
    return summary(**done | changes)


def whole(document):
    """A Message of a summary."""
    why = {"id": document["id"], "settled": False, "waits_for": "w", "do": None, "sentence": "s"}
    return document | {"why": why, "timeline": [], "costs": []}
