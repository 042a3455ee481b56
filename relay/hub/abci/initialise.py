"""`hutong hub init --engine cometbft`: a new chain with the homes of all its first validators."""

from dataclasses import dataclass
from pathlib import Path

from hutong.relay.base.durable_files import write_durably
from hutong.relay.hub.abci.address import UnusableAddress, socket_address
from hutong.relay.hub.abci.cometbft_home import (
    COMETBFT_DIRECTORY,
    CometBftKeys,
    CometBftPlace,
    CometBftPorts,
    Peer,
    new_node_key,
    write_cometbft_home,
)
from hutong.relay.hub.application.genesis import Genesis, encode_genesis
from hutong.relay.hub.home.home import GENESIS_FILE, UnusableHome, validator_key
from hutong.relay.hub.home.initialise import NewHub, build_genesis
from hutong.relay.hub.home.key_file import new_secret

SOCKET_FILE = "abci.sock"
PORTS_PER_VALIDATOR = 10
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class ValidatorPorts:
    """A validator's three ports."""

    p2p: int
    rpc: int
    eth: int


@dataclass(frozen=True, slots=True)
class MemberHome:
    """One validator's home; CometBFT's is `home/cometbft`."""

    home: Path
    ports: ValidatorPorts
    node_id: str

    @property
    def cometbft_home(self) -> Path:
        """The folder that CometBFT is started with (`--home`)."""
        return self.home / COMETBFT_DIRECTORY

    @property
    def listen(self) -> str:
        """The address of the application's socket, in CometBFT's notation."""
        return f"unix://{(self.home / SOCKET_FILE).absolute()}"

    @property
    def cometbft_rpc(self) -> str:
        """The URL of this member's own CometBFT, on this machine."""
        return f"http://{LOOPBACK}:{self.ports.rpc}"

    def lines(self) -> tuple[str, str, str]:
        """The application's command, CometBFT's command, and how others name the node as a peer."""
        application = f"hutong hub abci --home {self.home} --listen {self.listen} --cometbft-rpc {self.cometbft_rpc}"
        return (
            f"{application} --port {self.ports.eth}",
            f"cometbft node --home {self.cometbft_home}",
            f"peer {self.node_id}@127.0.0.1:{self.ports.p2p}",
        )


def ports_from(base: int, index: int) -> ValidatorPorts:
    """Ports base, base + 1 and base + 2 for the validator of index 0; ten further for each next one.

    Bounds are not checked.
    """
    first = base + PORTS_PER_VALIDATOR * index
    return ValidatorPorts(first, first + 1, first + 2)


def initialise_members(home: Path, hub: NewHub, ports: list[ValidatorPorts]) -> tuple[Genesis, list[MemberHome]]:
    """A validator for each entry of `ports`: one lives in `home` itself, several in `home/validator-1` and so on.

    Never overwrites a home; a failure leaves those that were made before it.

    Raises:
        UnusableHome: a home is there, its path is too long for a socket or not Unicode, or it cannot be written.
        MalformedInput: a chain id, amount or parameter is out of its bounds.
        ValueError: there are not as many operators as validators.
    """
    keys = [validator_key(new_secret()) for _ in ports]
    node_keys = [new_node_key() for _ in ports]
    genesis = build_genesis(hub, tuple(keys))
    homes = [home] if len(ports) == 1 else [home / f"validator-{number}" for number in range(1, len(ports) + 1)]
    members = [
        MemberHome(path, one, node_key.node_id) for path, one, node_key in zip(homes, ports, node_keys, strict=True)
    ]
    for path in (home, *homes):
        if (path / GENESIS_FILE).exists():
            raise UnusableHome(f"{path / GENESIS_FILE} exists: a home is initialised once")
    try:
        for member, key, node_key in zip(members, keys, node_keys, strict=True):
            others = [other for other in members if other is not member]
            _write_member(member, genesis, CometBftKeys(key, node_key), others)
    except UnusableAddress as error:
        raise UnusableHome(str(error)) from None
    except OSError as error:
        raise UnusableHome(f"{home}: {error.strerror or error}") from None
    return genesis, members


def _write_member(member: MemberHome, genesis: Genesis, keys: CometBftKeys, others: list[MemberHome]) -> None:
    member.home.mkdir(parents=True, exist_ok=True)
    place = CometBftPlace(
        socket_address(member.home / SOCKET_FILE),
        CometBftPorts(LOOPBACK, member.ports.p2p, member.ports.rpc),
        [Peer(other.node_id, f"{LOOPBACK}:{other.ports.p2p}") for other in others],
    )
    write_cometbft_home(member.home, genesis, keys, place)
    # Last, since it is what marks a home as initialised.
    write_durably(member.home / GENESIS_FILE, encode_genesis(genesis), mode=0o644)
