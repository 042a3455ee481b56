"""The home of a node that joins a running hub: from block 1, or by state sync from a trusted header."""

from collections.abc import Sequence
from pathlib import Path

from hutong.relay.base.durable_files import write_durably
from hutong.relay.hub.abci.address import UnusableAddress, socket_address
from hutong.relay.hub.abci.cometbft_home import (
    CometBftKeys,
    CometBftPlace,
    CometBftPorts,
    Peer,
    TrustedHeader,
    new_node_key,
    write_cometbft_home,
)
from hutong.relay.hub.abci.genesis import RevisionUnsupported, require_first_revision
from hutong.relay.hub.abci.initialise import LOOPBACK, SOCKET_FILE, MemberHome, ValidatorPorts
from hutong.relay.hub.application.genesis import Genesis, encode_genesis
from hutong.relay.hub.home.home import GENESIS_FILE, UnusableHome, validator_key
from hutong.relay.hub.home.key_file import new_secret


def initialise_joining(
    home: Path, genesis: Genesis, ports: ValidatorPorts, peers: Sequence[Peer], trusted: TrustedHeader | None = None
) -> MemberHome:
    """Make the home of a node that joins, with a new validator key, which those who govern may give power to.

    Never overwrites a home. That the genesis is the running hub's shows when CometBFT calls InitChain.

    Raises:
        UnusableHome: a home is there, its path is too long for a socket or not Unicode, it cannot be written, or the
            genesis continues an earlier revision.
    """
    if (home / GENESIS_FILE).exists():
        raise UnusableHome(f"{home / GENESIS_FILE} exists: a home is initialised once")
    node_key = new_node_key()
    try:
        require_first_revision(genesis)
        home.mkdir(parents=True, exist_ok=True)
        listening = CometBftPorts(LOOPBACK, ports.p2p, ports.rpc)
        place = CometBftPlace(socket_address(home / SOCKET_FILE), listening, peers, trusted)
        write_cometbft_home(home, genesis, CometBftKeys(validator_key(new_secret()), node_key), place)
        write_durably(home / GENESIS_FILE, encode_genesis(genesis), mode=0o644)
    except (RevisionUnsupported, UnusableAddress) as error:
        raise UnusableHome(str(error)) from None
    except OSError as error:
        raise UnusableHome(f"{home}: {error.strerror or error}") from None
    return MemberHome(home, ports, node_key.node_id)
