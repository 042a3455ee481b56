"""Send tokens while nothing moves, and get them back: python3 refund.py NETWORK FROM TO AMOUNT."""

import json
import os
import sys
from pathlib import Path

from eth_account import Account
from web3 import HTTPProvider, Web3

from hutong.contracts.artifacts import load_artifact
from hutong.sdk import Hutong, MessageState

network = json.loads(Path(sys.argv[1]).read_text())
source, destination, amount = sys.argv[2], sys.argv[3], int(sys.argv[4])
here, payee = network["chains"][source], network["chains"][destination]["user"]["address"]
keystore, password = Path(here["user"]["keystore"]).read_text(), Path(here["user"]["password_file"]).read_text()
account = Account.from_key(Account.decrypt(json.loads(keystore), password))

chain = Web3(HTTPProvider(here["rpc"]))
token = chain.eth.contract(address=here["token"], abi=load_artifact("ExampleToken").abi)


def balance() -> int:
    return token.functions.balanceOf(account.address).call()


before = balance()
with Hutong(network["api"], api_key=os.environ["HUTONG_API_KEY"]) as hutong:
    prepared = hutong.prepare_transfer(
        source, destination, token=here["token"], amount=amount, sender=account.address, receiver=payee, timeout_s=40
    )
    sent = hutong.sign_and_submit(prepared, account, max_cost_wei=10**18)
    print(f"sent: {sent.message.id}, void at {sent.message.timeout_at:%H:%M:%S}; balance {balance() - before:+}")
    waiting = None
    for message in hutong.follow(sent.message.id, timeout_s=300):
        if message.waiting != waiting:
            waiting = message.waiting
            print(f"{message.updated_at:%H:%M:%S} {waiting or 'it moves'}")
    print(hutong.why(message.id).sentence)
if message.state is not MessageState.TIMED_OUT or balance() != before:
    sys.exit(f"no refund: {message.state}, balance {balance() - before:+}")
print(f"given back: {amount}")
