"""Pay on one chain, receive on another: python3 pay_and_receive.py NETWORK FROM TO AMOUNT."""

import json
import os
import sys
from pathlib import Path

from eth_account import Account

from hutong.sdk import Hutong, MessageState

network = json.loads(Path(sys.argv[1]).read_text())
source, destination, amount = sys.argv[2], sys.argv[3], int(sys.argv[4])
payer, payee = (network["chains"][name]["user"] for name in (source, destination))
keystore, password = Path(payer["keystore"]).read_text(), Path(payer["password_file"]).read_text()
account = Account.from_key(Account.decrypt(json.loads(keystore), password))

with Hutong(network["api"], api_key=os.environ["HUTONG_API_KEY"]) as hutong:
    for route in hutong.routes(source, destination):
        print(f"way: {source} to {destination} over {route.via or 'nothing'}, {route.estimate.p50_s} s as a rule")
    prepared = hutong.prepare_transfer(
        source,
        destination,
        token=network["chains"][source]["token"],
        amount=amount,
        sender=account.address,
        receiver=payee["address"],
    )
    for transaction in prepared.transactions:
        print(f"to sign: {transaction.purpose}, at {transaction.to}")
    sent = hutong.sign_and_submit(prepared, account, max_cost_wei=10**18)
    print(f"sent: {sent.message.id}")
    stage = None
    for message in hutong.follow(sent.message.id, timeout_s=300):
        if message.stage is not stage:
            stage = message.stage
            print(f"{message.updated_at:%H:%M:%S} {stage}")
    if message.state is not MessageState.ACKNOWLEDGED:  # then the tokens are back with the payer
        sys.exit(f"not delivered, {message.state}: {hutong.why(message.id).sentence}")
    for token in hutong.tokens(destination):
        for held in token.held:
            if held.chain == destination and token.denom == sent.message.token.denom:
                print(f"received: {amount} of {token.symbol} at {held.address} on {destination}")
