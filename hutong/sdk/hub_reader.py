"""Calls of a HubReader, as applications import them: `from hutong.sdk.hub_reader import encode_read`. Guide: docs/sdk.md."""

from hutong.relay.sdk.hub_reader import *  # noqa: F403 - the list of names is the module's own
from hutong.relay.sdk.hub_reader import __all__  # noqa: F401 - what `import *` of this module takes
