"""An anvil as a chain of the city: a node without provable consensus, which attestors speak for."""

from collections.abc import Sequence
from pathlib import Path

import httpx

from hutong.relay.local.member import ChainPlan, ask_for_height
from hutong.relay.local.processes import Daemon, DemoFailed

HARDFORK = "cancun"
BLOCK_S = 1
FUNDS_WEI = 10**24
ASK_LIMIT_S = 30


def anvil_daemon(home: Path, plan: ChainPlan, program: Path) -> Daemon:
    """Its process, not started yet. It keeps nothing: one that is killed begins anew, with another history."""
    options = [
        *("--host", "127.0.0.1", "--port", str(plan.port), "--chain-id", str(plan.chain_id)),
        *("--hardfork", HARDFORK, "--block-time", str(BLOCK_S), "--accounts", "1"),
    ]
    log = home / f"{plan.name}.log"
    return Daemon(plan.name, options, log, ask_for_height(plan.url), program=(str(program),))


async def fund(plan: ChainPlan, addresses: Sequence[str]) -> None:
    """Give each address FUNDS_WEI.

    Raises:
        DemoFailed: the node does not answer, or refuses.
    """
    async with httpx.AsyncClient(trust_env=False, timeout=ASK_LIMIT_S) as client:
        for address in addresses:
            body = {"jsonrpc": "2.0", "id": 1, "method": "anvil_setBalance", "params": [address, hex(FUNDS_WEI)]}
            try:
                answer = (await client.post(plan.url, json=body)).json()
            except (httpx.HTTPError, ValueError) as error:
                raise DemoFailed(f"{plan.name} does not answer: {error}") from None
            if "error" in answer:
                raise DemoFailed(f"{plan.name} refuses to fund {address}: {str(answer['error'])[:200]}")
