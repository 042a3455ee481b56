"""Users of the demo: they call `Mailbox.sendForwarded` and know nothing of the relay."""

from eth_account.signers.local import LocalAccount

from relay.cli.demo.chain import DemoChain

MESSAGE_LIFETIME_S = 1_800


def send_messages(source: DemoChain, destination: DemoChain, account: LocalAccount, count: int) -> None:
    """Send `count` messages from `source` to the receiver on `destination`, without waiting for blocks."""
    nonce = source.next_nonce(account.address)
    for number in range(count):
        timeout_timestamp_s = source.time_s(source.head()) + MESSAGE_LIFETIME_S
        call = source.mailbox.functions.sendForwarded(
            source.hub_client,
            destination.client_on_hub,
            destination.receiver_address.lower(),
            f"{source.name} to {destination.name}, message {number + 1}".encode(),
            timeout_timestamp_s,
        )
        data = source.mailbox.encode_abi(call.fn_name, call.args)
        source.transact(account, nonce + number, {"to": source.mailbox.address, "data": data, "value": 0})
