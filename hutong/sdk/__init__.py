"""The SDK, as applications import it: `from hutong.sdk import Hutong`. Guide: docs/sdk.md."""

from hutong.relay.sdk import *  # noqa: F403 - the list of names is the SDK's own
from hutong.relay.sdk import __all__  # noqa: F401 - what `import *` of this module takes
