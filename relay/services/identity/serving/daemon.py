"""The process: a port, and the roles' work, each started again when it fails."""

import os
import time
from collections.abc import Callable

import trio
from prometheus_client import CollectorRegistry, ProcessCollector

from hutong.relay.base.locked_home import HomeKind, HomeNotLocked, lock_home
from hutong.relay.evm.listener import listen, listen_config
from hutong.relay.services.identity.daemon.errors import RoleUnusable
from hutong.relay.services.identity.daemon.hub_records import HubRecords
from hutong.relay.services.identity.daemon.record_bundles import OpenRecords
from hutong.relay.services.identity.daemon.role import Common, Role
from hutong.relay.services.identity.serving.app import create_app
from hutong.relay.services.identity.serving.configuration import IdentityConfig
from hutong.relay.services.identity.serving.roles import begin_roles
from hutong.relay.telemetry import get_logger
from hutong.relay.web.api_keys import KeyRing
from hutong.relay.web.rate_limit import RateLimit

MAX_CONNECTIONS = 512
HEAD_LIMIT_S = 10.0
SEND_LIMIT_S = 30.0
MAX_HEAD_BYTES = 32 * 1024
FIRST_DELAY_S = 1.0
LONGEST_DELAY_S = 60.0
HOME = HomeKind("another identity daemon", "identity.lock")


def common_of(config: IdentityConfig, hub: HubRecords | None = None, open_records: OpenRecords | None = None) -> Common:
    """What the roles of a process share, with the system's clock and randomness.

    Args:
        hub: reads the records of the hub that the configuration names.
        open_records: opens what shows records in bundles, for a resolver.
    """
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    keys = KeyRing(config.server.keys_file)
    return Common(config.server, keys, lambda: int(time.time()), os.urandom, registry, hub, open_records)


async def serve(
    config: IdentityConfig,
    on_ready: Callable[[str], None],
    hub: HubRecords | None = None,
    open_records: OpenRecords | None = None,
) -> None:
    """Serve until cancelled; `on_ready` is told the address once the port takes requests.

    Args:
        hub, open_records: as for `common_of`.

    Raises:
        OSError: the address cannot be had.
        RoleUnusable: the home is another process's, or a role cannot begin.
    """
    try:
        lock = lock_home(config.server.home, HOME)
    except HomeNotLocked as error:
        raise RoleUnusable(str(error)) from None
    with lock:
        await _serve(config, on_ready, common_of(config, hub, open_records))


async def _serve(config: IdentityConfig, on_ready: Callable[[str], None], common: Common) -> None:
    settings = listen_config(config.server.host, config.server.port)
    settings.h11_max_incomplete_size = MAX_HEAD_BYTES
    settings.keep_alive_timeout = HEAD_LIMIT_S
    if config.server.has_tls:
        settings.certfile, settings.keyfile = str(config.server.tls_certificate), str(config.server.tls_key)
    async with begin_roles(config, common) as roles, trio.open_nursery() as nursery:
        app = create_app(common, roles, RateLimit(config.server.rate_limit_per_s, time.monotonic))

        async def serving(task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED) -> None:
            await listen(
                app, settings, max_connections=MAX_CONNECTIONS, send_limit_s=SEND_LIMIT_S, task_status=task_status
            )

        port = await nursery.start(serving)
        for role in roles:
            nursery.start_soon(keep_running, role)
        host = f"[{config.server.host}]" if ":" in config.server.host else config.server.host
        on_ready(f"{'https' if config.server.has_tls else 'http'}://{host}:{port}")


async def keep_running(role: Role) -> None:
    """A role's work; what it raises is logged, and it begins again after a delay that doubles."""
    delay_s = FIRST_DELAY_S
    while True:
        began_s = trio.current_time()
        try:
            await role.run()
        except Exception:
            if trio.current_time() - began_s > LONGEST_DELAY_S:
                delay_s = FIRST_DELAY_S
            get_logger("identity").exception("a role's work failed; it begins again", role=role.name, delay_s=delay_s)
        else:
            return
        await trio.sleep(delay_s)
        delay_s = min(2 * delay_s, LONGEST_DELAY_S)
