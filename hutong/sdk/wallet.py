"""A wallet of credentials, as applications import it: `from hutong.sdk.wallet import Wallet`. Guide: docs/identity/wallet.md."""

from hutong.relay.sdk.wallet import *  # noqa: F403 - the list of names is the module's own
from hutong.relay.sdk.wallet import __all__  # noqa: F401 - what `import *` of this module takes
