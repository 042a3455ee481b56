"""Decisions that have no effect yet, for people: what, by whom, from when on."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hutong.adapters.evm.administration.decisions import Decision


def decision_text(decision: "Decision", now_s: int) -> str:
    """One printable line: what, by whom, from when on as UTC and in how long, and who may cancel it.

    Args:
        now_s: time of the chain's newest block, Unix seconds.
    """
    from hutong.adapters.evm.administration.moments import date_text, moment_text
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
    return f"{decision.what}{by}, {when}, until {date_text(call.expires_at_s)}; {cancels} may cancel it"
