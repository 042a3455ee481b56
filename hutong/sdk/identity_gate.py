"""Presents credentials to contracts: `from hutong.sdk.identity_gate import acceptance`. Guide: docs/identity/contracts.md."""

from hutong.relay.sdk.identity_gate import *  # noqa: F403 - the list of names is the module's own
from hutong.relay.sdk.identity_gate import __all__  # noqa: F401 - what `import *` of this module takes
