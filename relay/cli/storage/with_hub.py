"""One act at the hub, by the operator's key."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from hutong.relay.services.storage.operator.hub_door import HubDoor
    from hutong.relay.services.storage.operator.settings import OperatorConfig

Value = TypeVar("Value")


def with_hub(config: "OperatorConfig", act: "Callable[[HubDoor], Awaitable[Value]]") -> Value:
    """What the act returns, with the hub of the configuration open while it lasts.

    Raises:
        HubSilent: the hub does not answer, or is another.
        OperatorUnusable: the key cannot be used.
    """
    import trio

    from hutong.relay.services.storage.operator.rpc_hub import open_hub_door
    from hutong.relay.services.storage.operator.state import OperatorUnusable, load_key

    hub, process = config.hub, config.operator
    if hub is None:
        raise OperatorUnusable("this operator follows no hub")

    async def ask() -> Value:
        signer = await trio.to_thread.run_sync(load_key, config)
        try:
            async with open_hub_door(hub, process.chain_id, bytes.fromhex(process.operator_id), signer) as door:
                return await act(door)
        finally:
            with trio.CancelScope(shield=True):
                await signer.aclose()

    return trio.run(ask)
