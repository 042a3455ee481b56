"""A direct message that the source's Mailbox refuses, since nobody made the destination its peer: what to do instead."""

from hutong.adapters.interface import RefusedByChain
from hutong.relay.api.sending.choosing import Choice
from hutong.relay.config import Config, HubChainConfig

UNKNOWN_PEER = "UnknownPeer"


def in_words(refusal: RefusedByChain, config: Config, choice: Choice) -> RefusedByChain:
    """A refusal of a prepared message with what its sender can do; others than UnknownPeer as they are."""
    if refusal.name != UNKNOWN_PEER:
        return refusal
    there, client = choice.destination, choice.first.client
    if any(isinstance(chain, HubChainConfig) and chain.name == there for chain in config.chains):
        others = {far.chain for end, far in choice.paths.opposite.items() if end.chain == there} - {choice.source}
        known = f" ({', '.join(sorted(others))})" if others else ""
        said = f"{there} is a hub: it sends messages on and has no receivers; name the chain beyond it as destination{known}"
    else:
        said = f"the Mailbox of {choice.source} has no direct peer over {client}: its admins name {there} as one"
    return RefusedByChain(refusal.name, f"{said} ({refusal.reason})", refusal.data)
