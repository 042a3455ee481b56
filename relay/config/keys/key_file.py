"""A key's table in a file of its own, which commands take in the place of a keystore.

Example:

    [key]
    kind = "eth1-signer"
    url = "http://127.0.0.1:9000"
    public_key = "0279be66…"
"""

from hutong.relay.config.fields import Model
from hutong.relay.config.keys.kinds import AnyKeyConfig


class KeyFile(Model):
    """The one table of such a file."""

    key: AnyKeyConfig
