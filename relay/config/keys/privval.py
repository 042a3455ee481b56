"""A validator's key that a stock signer holds: tmkms, CometBFT's priv_val_server, or another that speaks privval 0.38.

The hub's node listens, and the signer dials. Example, of a key file:

    [key]
    kind = "privval"
    listen = "unix:///run/hub/signer.sock"
    chain_id = "trial-1"
    public_key = "03a1b2…"               # 33 bytes of hex, compressed: another key's signature is refused
"""

from collections.abc import Hashable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from hutong.relay.config.fields import HubChainId
from hutong.relay.config.keys.key_base import KeyBase
from hutong.relay.config.keys.public_key import PublicKeyText
from hutong.relay.config.keys.unix_socket import UnixSocket, socket_path


class PrivvalConfig(KeyBase):
    """Where the signer is waited for, for which chain, and which key it must have. It signs votes and proposals, nothing else."""

    kind: Literal["privval"]
    listen: UnixSocket
    chain_id: HubChainId
    """The signer is configured for it as well, and refuses another."""
    public_key: PublicKeyText
    timeout_ms: Annotated[int, Field(ge=50, le=60_000)] = 1_000
    """For one signature, and for a signer to dial. A signer that takes longer counts as away: consensus waits for it."""

    @property
    def key(self) -> bytes:
        """The public key, 33 bytes."""
        return bytes.fromhex(self.public_key)

    @property
    def path(self) -> Path:
        """The socket's."""
        return socket_path(self.listen)

    @property
    def place(self) -> str:
        """See `KeyBase`."""
        return f"privval {self.listen}"

    @property
    def same_key(self) -> Hashable:
        """See `KeyBase`."""
        return self.key
