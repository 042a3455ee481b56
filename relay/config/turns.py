"""The `[turns]` table: how relays of several owners on one path keep out of each other's way.

Example:

    [turns]
    rank_ms = 1000        # of a packet that r other relayers are ranked before us for, r times this is waited
    most_ms = 1500        # and never longer; 0: no relay is waited for
    seen_within_s = 600   # who settled nothing for so long counts no more
"""

from typing import Annotated

from pydantic import Field

from hutong.relay.config.fields import Model


class TurnsConfig(Model):
    """See docs/deploy/several-relays.md for how ranks are drawn."""

    rank_ms: Annotated[int, Field(ge=0, le=60_000)] = 1_000
    most_ms: Annotated[int, Field(ge=0, le=60_000)] = 1_500
    seen_within_s: Annotated[int, Field(ge=10, le=86_400)] = 600
