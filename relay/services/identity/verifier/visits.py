"""A browser that is shown a request: one for a wallet elsewhere, one for a wallet on its own device, of one purpose.

The page of a policy and the page of a login are both visits. Of the two requests the first that is accepted counts.
"""

from dataclasses import dataclass

from hutong.relay.services.identity.verifier.desk import Desk, Wish, result_fields
from hutong.relay.services.identity.verifier.store import FINAL, Asked, Channel, State


@dataclass(frozen=True, slots=True)
class Visit:
    """The two requests. `answer` is the one whose result may be told, if there is one."""

    code: Asked
    link: Asked

    @property
    def answer(self) -> Asked | None:
        """An accepted one before one that was refused or declined."""
        told = [one for one in (self.code, self.link) if result_fields(one)["is_final"] and one.state in FINAL]
        return min(told, key=lambda one: (one.state is not State.ACCEPTED, one.channel.value), default=None)

    @property
    def is_over(self) -> bool:
        """Whether nothing more can come: an answer, or the end of the time of both."""
        return self.answer is not None or all(one.state is State.EXPIRED for one in (self.code, self.link))


async def visit(desk: Desk, policy: str, owner: str, return_to: str) -> Visit:
    """The visit of an owner; begun where there is none.

    Args:
        return_to: where a wallet on the same device leads the browser, with a code.

    Raises:
        TooManyOpen: see `RequestStore.add`.
    """
    found = await find_visit(desk, owner)
    if found is not None:
        return found
    return Visit(await desk.ask(Wish(policy, owner)), await desk.ask(Wish(policy, owner, return_to)))


async def find_visit(desk: Desk, owner: str) -> Visit | None:
    """The newest visit of an owner."""
    asked = await desk.of_owner(owner)
    code = next((one for one in asked if one.channel is Channel.CROSS_DEVICE), None)
    link = next((one for one in asked if one.channel is Channel.SAME_DEVICE), None)
    return None if code is None or link is None else Visit(code, link)


async def end_visit(desk: Desk, owner: str) -> None:
    """Forget everything that an owner asked, with what was shown."""
    await desk.forget([one.id for one in await desk.of_owner(owner)])
