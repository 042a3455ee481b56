"""A block that a limit of EXECUTION_LIMIT_S stops and the default limit lets pass, on a quiet machine and on a busy one."""

from tests.relay.hub.simulated_hub import DAPP, EVM_CHAIN_ID

EXECUTION_LIMIT_S = 0.5
"""An empty block takes some milliseconds, and on a machine that does much else a few hundred."""
PAID_WEI = 7
RECIPIENT = "0x" + "77" * 20
HEAVY_GAS = 16_000_000
CALLS = bytes.fromhex("5b600060006000600060775afa50600056")
"""As init code it calls an empty account until its gas is gone. No step takes longer for its gas: this is 3 s or more."""


def heavy_transactions() -> tuple[str, str]:
    """Raw, of DAPP: the creation that calls and, before it by its nonce, a payment of PAID_WEI to RECIPIENT.

    Sent in this order they come into one block, since the first has to wait for the nonce of the second.
    """
    fields = {"chainId": EVM_CHAIN_ID, "gasPrice": 0}
    payment = {**fields, "nonce": 0, "gas": 21_000, "value": PAID_WEI, "to": RECIPIENT, "data": b""}
    creation = {**fields, "nonce": 1, "gas": HEAVY_GAS, "value": 0, "data": CALLS}
    heavy, light = (DAPP.sign_transaction(one).raw_transaction.hex() for one in (creation, payment))
    return f"0x{heavy}", f"0x{light}"
