"""A client on a chain, as the configuration names it."""

from hutong.relay.config.fields import ClientId, Model, Name


class PathEnd(Model):
    """One end of a path: the client that lives on `chain` and tracks the other end's chain."""

    chain: Name
    client: ClientId
