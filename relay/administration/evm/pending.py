"""Decisions that have no effect yet, as JSON has them."""

from typing import Any

from hutong.adapters.evm.administration.decisions import Decision
from hutong.adapters.evm.administration.moments import date_text
from hutong.adapters.evm.administration.rights import role_name
from hutong.adapters.evm.administration.wording import in_words


def decision_document(decision: Decision, now_s: int) -> dict[str, Any]:
    """For JSON, as docs/spec/roles-file.md has it. `in_s` is 0 where a call can be made already.

    Args:
        now_s: time of the chain's newest block, Unix seconds.
    """
    return {
        "kind": decision.kind,
        "what": decision.what,
        "by": decision.by,
        "effective_at_s": decision.effective_at_s,
        "effective_at": date_text(decision.effective_at_s),
        "in_s": max(0, decision.effective_at_s - now_s),
        "call": _call_document(decision),
    }


def _call_document(decision: Decision) -> dict[str, Any] | None:
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
