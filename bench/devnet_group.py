"""Dev chains that share one process: those that are registered and silent need none of their own.

`python -m bench.devnet_group DIRECTORY FUNDED,FUNDED… PORT:CHAIN_ID …` runs them until SIGTERM; each is kept in DIRECTORY.
"""

import signal
import sys
from pathlib import Path

import trio

from hutong.relay.devnet.node import running_devnet
from hutong.relay.devnet.settings import DEFAULT_FUNDING_WEI, Genesis


async def _serve(port: int, chain_id: int, funds_wei: dict[bytes, int], home: Path) -> None:
    async with running_devnet(Genesis(chain_id, funds_wei=funds_wei), port=port, home=home):
        await trio.sleep_forever()


async def _run(directory: str, funded: str, chains: list[str]) -> None:
    funds_wei = dict.fromkeys(map(bytes.fromhex, funded.split(",")), DEFAULT_FUNDING_WEI)
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async with trio.open_nursery() as nursery:
            for chain in chains:
                port, _, chain_id = chain.partition(":")
                nursery.start_soon(_serve, int(port), int(chain_id), funds_wei, Path(directory) / f"silent-{chain_id}")
            async for _ in signals:
                nursery.cancel_scope.cancel()


if __name__ == "__main__":
    trio.run(_run, sys.argv[1], sys.argv[2], sys.argv[3:])
