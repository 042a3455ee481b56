"""Whether two nodes belong together."""

from hutong.relay.hub.network.link.messages import Hello


class Refusal(Exception):
    """One sentence, with what was got and expected."""

    def __init__(self, reason: str, got: str = "", expected: str = "") -> None:
        self.reason, self.got, self.expected = reason, got, expected
        super().__init__(reason, got, expected)

    def __str__(self) -> str:
        return self.reason


def check_hello(own: Hello, other: Hello) -> None:
    """Both ends speak one version of the protocol, on one chain of one genesis, and with two consensus keys.

    Raises:
        Refusal: they do not; it carries what was got and what was expected.
    """
    if other.version != own.version:
        raise Refusal(
            f"it speaks version {other.version} of the peers' protocol, this node {own.version}",
            str(other.version),
            str(own.version),
        )
    if other.chain_id != own.chain_id:
        raise Refusal(
            f"it is of chain {other.chain_id}, this node of {own.chain_id}: check network.toml and genesis.json",
            other.chain_id,
            own.chain_id,
        )
    if other.genesis_hash != own.genesis_hash:
        got, expected = other.genesis_hash.hex(), own.genesis_hash.hex()
        raise Refusal(
            f"its genesis.json has hash {got[:16]}…, this node's {expected[:16]}…: compare the files", got, expected
        )
    if other.consensus_address == own.consensus_address:
        name = own.consensus_address.hex().upper()
        raise Refusal(
            f"it has this node's consensus key {name}: one key in two homes signs two blocks; stop one of them",
            name,
            "another key",
        )
