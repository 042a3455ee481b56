"""The relay's configuration file, as an operator would write it by hand."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

from hutong.relay.base.durable_files import write_durably
from hutong.relay.local.keys import Key

Paths = Mapping[str, Mapping[str, str]]
ATTEMPT_LIMIT_MS = 60_000
"""Four rounds of it are as long as a process may take to serve (START_LIMIT_S)."""


def relay_table(home: Path, http_port: int | None = None, clear_interval_s: int | None = None) -> str:
    """`[relay]`, without HTTP while chains are being connected.

    Args:
        home: of the demo: the relay's own is a folder in it.
        http_port: for metrics and readiness, on this host alone.
        clear_interval_s: None leaves the relay's default.
    """
    lines = [f'home = "{home / "relay"}"']
    if http_port is not None:
        lines.append(f'http = "127.0.0.1:{http_port}"')
    if clear_interval_s is not None:
        lines.append(f"clear_interval_s = {clear_interval_s}")
    return "[relay]\n" + "\n".join(lines) + "\n"


def api_table(port: int, *, cases: bool = False) -> str:
    """`[api]`, on this host alone, with its keys in a file beside the configuration.

    Args:
        cases: serve the reports and the evidence of cases that are in the configuration's folder.
    """
    folder = 'cases_folder = "."\n' if cases else ""
    return f'\n[api]\nlisten = "127.0.0.1:{port}"\nkeys_file = "api-keys.json"\n{folder}'


def explorer_of(config: Path) -> str:
    """Where the explorer of a relay with that configuration is, with a slash at its end.

    Raises:
        OSError, KeyError: the file is not there, or has no `[api]`.
    """
    return f"http://{tomllib.loads(config.read_text())['api']['listen']}/"


def chain_table(
    name: str,
    chain_id: int,
    port: int,
    router: str,
    start_height: int,
    relayer: Key,
    batch_items: int | None = None,
    *,
    belief: str = 'consensus = "qbft"\n',
) -> str:
    """`[[chains]]` of an EVM chain.

    Args:
        port: at which the relay is to find its RPC, perhaps a proxy's.
        start_height: the router's first block.
        batch_items: most packets in one transaction; None leaves the relay's default.
        belief: lines that say how its blocks are believed elsewhere, as `attested_by` makes them.
    """
    batch = "" if batch_items is None else f"batch = {{ items = {batch_items} }}\n"
    return (
        f'\n[[chains]]\nname = "{name}"\nkind = "evm"\nchain_id = {chain_id}\n{belief}'
        f'rpc = ["http://127.0.0.1:{port}"]\nws = ["ws://127.0.0.1:{port}"]\nrouter = "{router}"\n'
        f"start_height = {start_height}\npoll_interval_ms = 200\n{batch}key = {relayer.toml}\n"
    )


def patient(tables: str) -> str:
    """The tables of chains, for commands that are run once: a node that starts on a busy host is waited for.

    Each question has ATTEMPT_LIMIT_MS, in as many rounds as ever; the relay's own configuration leaves a slow one sooner.
    """
    return tables.replace(
        "\n[[chains]]\n", f"\n[[chains]]\nendpoints = {{ attempt_timeout_ms = {ATTEMPT_LIMIT_MS} }}\n"
    )


def attested_by(attestor_ports: Sequence[int]) -> str:
    """How an EVM chain of immediate finality is believed through attestors on this host."""
    return f'consensus = "attested"\nconfirmations = 0\nattestors = {_urls("http", attestor_ports)}\n'


def hub_table(chain_id: str, ethereum_ports: Sequence[int], cometbft_ports: Sequence[int], relayer: Key) -> str:
    """`[[chains]]` of the hub: Ethereum RPC and CometBFT RPC of each validator."""
    return (
        f'\n[[chains]]\nname = "hub"\nkind = "hub"\nchain_id = "{chain_id}"\n'
        f"rpc = {_urls('http', ethereum_ports)}\nws = {_urls('ws', ethereum_ports)}\nconsensus_rpc = {_urls('http', cometbft_ports)}\n"
        f"poll_interval_ms = 200\nkey = {relayer.toml}\n"
    )


def cosmos_table(name: str, chain_id: str, prefix: str, gas_price: str, port: int, relayer: Key) -> str:
    """`[[chains]]` of a Cosmos chain: CometBFT RPC alone.

    Args:
        prefix: of its bech32 addresses.
        gas_price: amount and denomination in one word, as a Cosmos SDK node writes it.
        port: of its CometBFT RPC, perhaps a gate's.
    """
    return (
        f'\n[[chains]]\nname = "{name}"\nkind = "cosmos"\nchain_id = "{chain_id}"\nbech32_prefix = "{prefix}"\n'
        f'gas_price = "{gas_price}"\nrpc = {_urls("http", [port])}\nws = ["ws://127.0.0.1:{port}/websocket"]\n'
        f"poll_interval_ms = 200\nkey = {relayer.toml}\n"
    )


def _urls(scheme: str, ports: Sequence[int]) -> str:
    return "[" + ", ".join(f'"{scheme}://127.0.0.1:{port}"' for port in ports) + "]"


def path_table(path: Paths) -> str:
    """`[[paths]]` from what `hutong path create --json` printed.

    Raises:
        KeyError: an end, its chain or its client is missing.
    """
    ends = "".join(
        f'{side} = {{ chain = "{path[side]["chain"]}", client = "{path[side]["client"]}" }}\n' for side in ("a", "b")
    )
    return f"\n[[paths]]\n{ends}"


def write_private(path: Path, text: str) -> None:
    """Write the whole file at once, readable by its owner alone; what was there is replaced."""
    write_durably(path, text.encode())
