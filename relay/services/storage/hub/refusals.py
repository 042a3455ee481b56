"""What comes of asking the hub."""


class HubSilent(Exception):
    """The hub does not answer, or what it answers cannot be read; one sentence."""


class HubRefused(Exception):
    """The hub refuses a call; one sentence, in the hub's words."""
