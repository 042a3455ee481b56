"""What the relay asks of every kind of chain."""

from typing import Protocol

from hutong.adapters.interface.destination import Destination
from hutong.adapters.interface.source import Source


class ChainAdapter(Source, Destination, Protocol):
    """A whole chain: packets come from it and go to it. What needs one side only takes `Source` or `Destination`."""
