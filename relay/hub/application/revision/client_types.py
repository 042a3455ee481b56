"""Which types of light client a hub of a rules version offers: one that came later is refused as if it were unknown."""

from collections.abc import Mapping
from typing import Final

from hutong.light_clients.interface import LightClient
from hutong.light_clients.tlog import TlogClient
from hutong.relay.hub.application.revision import rules_versions

SINCE: Final[Mapping[str, int]] = {TlogClient.client_type: rules_versions.RECORDS}
"""Types that are not of every rules version, and their first one."""


def offered(light_clients: Mapping[str, LightClient], rules_version: int) -> Mapping[str, LightClient]:
    """Those of `light_clients` that a block of this version knows.

    A type more changes what such a block does and costs: each is asked for its number of clients.
    """
    later = [client_type for client_type, since in SINCE.items() if since > rules_version]
    if not later:
        return light_clients
    return {client_type: client for client_type, client in light_clients.items() if client_type not in later}
