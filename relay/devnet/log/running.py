"""A signed log as a process."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import trio

from hutong.relay.devnet.log.home import LogSettings, SignedLog, open_log
from hutong.relay.devnet.log.node import serve_log
from hutong.relay.devnet.node import innermost
from hutong.relay.devnet.settings import DevnetError
from hutong.relay.devnet.signalled import until_signalled

LogReady = Callable[[SignedLog, str], None]
"""Called with the log and its URL once it answers."""


def run_log(
    home: Path | None, settings: LogSettings, endpoint: tuple[str, int], heartbeat_s: float, ready: LogReady
) -> None:
    """Run a signed append-only log with its witnesses.

    Args:
        home: where log and keys are kept; None: nowhere.
        endpoint: address and port to listen on; port 0 takes a free one.
        heartbeat_s: seconds after which an idle log is cosigned anew.

    Raises:
        DevnetError: it cannot start, or its disk is full.
    """
    refusal: BaseException | None = None
    try:
        with open_log(home, settings) as log:
            serve = partial(serve_log, log, *endpoint, heartbeat_s)
            trio.run(until_signalled, serve, lambda node: ready(log, node.url))
    except* DevnetError as errors:
        refusal = innermost(errors)
    except* OSError as errors:
        refusal = DevnetError(f"stopped: {innermost(errors)}; what was answered is kept, free space and start it again")
    if refusal is not None:
        raise refusal
