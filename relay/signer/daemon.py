"""`hutong signer run`: everything from a configuration to a serving signer, and its end in order."""

import signal
from collections.abc import Callable
from ssl import CERT_REQUIRED

import trio

from hutong.relay.config.keys.signer_daemon import SignerConfig
from hutong.relay.evm.listener import listen, listen_config
from hutong.relay.keys import KeySource
from hutong.relay.keys.opening import open_recorded
from hutong.relay.keys.signing_record import SigningRecord
from hutong.relay.signer.app import SignerApp
from hutong.relay.signer.desk import SigningDesk
from hutong.relay.telemetry import get_logger

MAX_CONNECTIONS = 256
SEND_LIMIT_S = 30.0


def open_keys(config: SignerConfig, record: SigningRecord) -> tuple[KeySource, ...]:
    """The keys of a configuration, each under its policy, in their order. Blocks: keystores take a fraction of a second.

    Raises:
        KeyUnavailable: one cannot be used.
    """
    return tuple(open_recorded(key, key.policy, record) for key in config.keys if key.policy is not None)


async def run_signer(config: SignerConfig, on_ready: Callable[[str], None]) -> None:
    """Run until SIGTERM or SIGINT. `on_ready` is told one sentence when it serves.

    Raises (maybe inside an exception group):
        KeyUnavailable: the record or a key cannot be used.
        OSError: the address cannot be had, or a file of TLS cannot be read.
    """
    process = config.signer
    record = await trio.to_thread.run_sync(SigningRecord, process.record, process.record_lines)
    try:
        sources = await trio.to_thread.run_sync(open_keys, config, record)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_stop_on_signal, nursery.cancel_scope)
                address = await nursery.start(_serve, config, SigningDesk(sources, config.signer.timeout_ms / 1000))
                on_ready(f"signer of {len(sources)} keys ready at {address}: record {config.signer.record}")
        finally:
            with trio.CancelScope(shield=True):
                for source in sources:
                    await source.aclose()
    finally:
        record.close()
    get_logger("signing").info("stopped")


async def _serve(
    config: SignerConfig, desk: SigningDesk, task_status: trio.TaskStatus[str] = trio.TASK_STATUS_IGNORED
) -> None:
    process = config.signer
    settings = listen_config(process.host, process.port)
    settings.h11_max_incomplete_size = 16 * 1024
    if process.tls_certificate is not None:
        settings.certfile, settings.keyfile = str(process.tls_certificate), str(process.tls_key)
        settings.ca_certs, settings.verify_mode = str(process.client_ca), CERT_REQUIRED
    app = SignerApp(desk, process.requests_per_s, process.in_flight)
    async with trio.open_nursery() as nursery:

        async def serving(task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED) -> None:
            await listen(
                app, settings, max_connections=MAX_CONNECTIONS, send_limit_s=SEND_LIMIT_S, task_status=task_status
            )

        port = await nursery.start(serving)
        host = f"[{process.host}]" if ":" in process.host else process.host
        task_status.started(f"{'http' if process.tls_certificate is None else 'https'}://{host}:{port}")


async def _stop_on_signal(scope: trio.CancelScope) -> None:
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for _ in signals:
            scope.cancel()
            return
