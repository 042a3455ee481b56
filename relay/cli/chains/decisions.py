"""Decisions that have no effect yet, for people and as JSON: what, by whom, from when on."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hutong.adapters.evm.administration.decisions import Decision

LAST_DATE_S = 253_402_300_799
"""The end of the year 9999: what is scheduled for later has no date."""
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def decision_text(decision: "Decision", now_s: int) -> str:
    """One printable line: what, by whom, from when on as UTC and in how long, and who may cancel it.

    Args:
        now_s: time of the chain's newest block, Unix seconds.
    """
    from hutong.adapters.evm.administration.rights import role_name

    by = "" if decision.by is None else f", decided by {decision.by}"
    call = decision.call
    if call is None:
        return f"{decision.what}{by}, takes effect at {moment_text(decision.effective_at_s, now_s)}"
    if now_s < call.ready_at_s:
        when = f"can be made from {moment_text(call.ready_at_s, now_s)} on"
    else:
        when = f"CAN BE MADE NOW, since {moment_text(call.ready_at_s, now_s)}"
    guardian = role_name(call.guardian)
    cancels = "the admin" if guardian == "admin" else f"members of {guardian}"
    return f"{decision.what}{by}, {when}, until {_date(call.expires_at_s)}; {cancels} may cancel it"


def decision_document(decision: "Decision", now_s: int) -> dict[str, Any]:
    """For JSON, as docs/spec/roles-file.md has it. `in_s` is 0 where a call can be made already.

    Args:
        now_s: time of the chain's newest block, Unix seconds.
    """
    return {
        "kind": decision.kind,
        "what": decision.what,
        "by": decision.by,
        "effective_at_s": decision.effective_at_s,
        "effective_at": _date(decision.effective_at_s),
        "in_s": max(0, decision.effective_at_s - now_s),
        "call": _call_document(decision),
    }


def moment_text(at_s: int, now_s: int) -> str:
    """A Unix time as UTC, and how far it is."""
    distance = duration_text(abs(at_s - now_s))
    return f"{_date(at_s)} ({f'in {distance}' if at_s > now_s else f'{distance} ago'})"


def duration_text(duration_s: int) -> str:
    """In the two largest units of which there is one: `1 d 23 h`, `59 min 1 s`, `0 s`."""
    parts: list[str] = []
    left = duration_s
    for size, unit in _UNITS:
        if left >= size or (parts and left):
            parts.append(f"{left // size} {unit}")
            left %= size
    return " ".join(part for part in parts[:2] if not part.startswith("0 ")) or "0 s"


def _date(at_s: int) -> str:
    if at_s > LAST_DATE_S:
        return f"Unix time {at_s}"
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _call_document(decision: "Decision") -> dict[str, Any] | None:
    from hutong.adapters.evm.administration.rights import role_name
    from hutong.adapters.evm.administration.wording import in_words

    call = decision.call
    if call is None:
        return None
    worded = in_words(call.data)
    return {
        "operation": f"0x{call.operation.hex()}",
        "target": call.target,
        "data": f"0x{call.data.hex()}",
        "function": None if worded is None else worded.function,
        "arguments": None if worded is None else worded.arguments,
        "expires_at_s": call.expires_at_s,
        "guardian": role_name(call.guardian),
        "cancel_data": f"0x{call.cancelling.hex()}",
    }
