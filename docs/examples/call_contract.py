"""Call a contract of one chain from another: python3 call_contract.py NETWORK FROM TO TEXT."""

import json
import os
import sys
from pathlib import Path

from eth_account import Account
from web3 import HTTPProvider, Web3

from hutong.contracts.artifacts import load_artifact
from hutong.sdk import Hutong

network = json.loads(Path(sys.argv[1]).read_text())
source, destination, text = sys.argv[2:5]
here, there = network["chains"][source], network["chains"][destination]
keystore, password = Path(here["user"]["keystore"]).read_text(), Path(here["user"]["password_file"]).read_text()
account = Account.from_key(Account.decrypt(json.loads(keystore), password))

chain = Web3(HTTPProvider(there["rpc"]))
receiver = chain.eth.contract(address=there["receiver"], abi=load_artifact("ExampleReceiver").abi)


def calls() -> int:
    """How often the contract was called by this account of that chain."""
    return receiver.functions.received(source, account.address.lower()).call()


before = calls()
with Hutong(network["api"], api_key=os.environ["HUTONG_API_KEY"]) as hutong:
    prepared = hutong.prepare_message(
        source, destination, sender=account.address, receiver=there["receiver"], payload=text.encode()
    )
    sent = hutong.sign_and_submit(prepared, account, max_cost_wei=10**18)
    print(f"sent: {sent.message.id}, message id {sent.message.message_id}")
    stage = None
    for message in hutong.follow(sent.message.id, timeout_s=300):
        if message.stage is not stage:
            stage = message.stage
            print(f"{message.updated_at:%H:%M:%S} {stage}")
    print(hutong.why(sent.message.id).sentence)
print(f"called: {calls() - before} time on {destination}")
sys.exit(0 if message.is_delivered else f"not delivered: {message.state}")
