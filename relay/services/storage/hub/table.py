"""The table `[hub]` of a configuration."""

from typing import Annotated

from pydantic import Field

from hutong.relay.config.fields import HttpUrls, Model


class HubTable(Model):
    """The hub's endpoints."""

    rpc: HttpUrls
    consensus_rpc: HttpUrls


class FollowedHubTable(HubTable):
    """Those of a hub that is looked at again and again."""

    interval_s: Annotated[int, Field(ge=1, le=3_600)] = 5
    """How often it is looked at."""
