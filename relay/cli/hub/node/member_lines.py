"""The commands that run a member under CometBFT, as `hutong hub init` and `join` print them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hutong.relay.hub.abci.initialise import MemberHome


def member_lines(member: "MemberHome") -> tuple[str, str, str]:
    """The application's command, CometBFT's command, and how others name the node as a peer."""
    application = f"hutong hub abci --home {member.home} --listen {member.listen} --cometbft-rpc {member.cometbft_rpc}"
    return (
        f"{application} --port {member.ports.eth}",
        f"cometbft node --home {member.cometbft_home}",
        f"peer {member.node_id}@127.0.0.1:{member.ports.p2p}",
    )
