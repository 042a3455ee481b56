"""The light client whose rules judge headers and proofs of each kind of chain."""

from collections.abc import Mapping

from hutong.light_clients import table
from hutong.light_clients.interface import LightClient
from hutong.relay.archive.bundle import ChainKind

LIGHT_CLIENTS: Mapping[ChainKind, LightClient] = {kind: table.LIGHT_CLIENTS[kind.client_type] for kind in ChainKind}
