"""EVM execution over a key-value store, block records, mempool and `eth_*` JSON-RPC, shared by the hub and the dev
chains."""

import os

# eth-hash picks pycryptodome unless told; safe-pysha3 is 4 to 6 times faster and the node hashes with nothing else.
os.environ.setdefault("ETH_HASH_BACKEND", "pysha3")
