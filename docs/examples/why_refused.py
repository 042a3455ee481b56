"""The reason for which a receiver refused a message: python3 why_refused.py NETWORK MESSAGE."""

import json
import sys
from pathlib import Path

from eth_abi import decode
from eth_utils import keccak
from web3 import HTTPProvider, Web3
from web3.logs import DISCARD

from hutong.contracts.artifacts import load_artifact
from hutong.sdk import Hutong

network = json.loads(Path(sys.argv[1]).read_text())
with Hutong(network["api"]) as hutong:
    message = hutong.message(sys.argv[2])
end = message.destination.chain
(receive,) = [step for step in message.timeline if (step.chain, step.kind, step.step) == (end, "receive", "included")]

chain = Web3(HTTPProvider(network["chains"][end]["rpc"]))
router = chain.eth.contract(address=network["chains"][end]["router"], abi=load_artifact("Router").abi)
receipt = chain.eth.get_transaction_receipt(receive.transaction)
for event in router.events.IBCAppRecvPacketCallbackError().process_receipt(receipt, errors=DISCARD):
    reason = event["args"]["reason"]
    if reason[:4] == keccak(text="ReceiverReverted(bytes)")[:4]:  # the Mailbox's word for: your contract said no
        (reason,) = decode(["bytes"], reason[4:])
        print(f"the receiver reverted with {Web3.to_hex(reason)}")
    elif reason[:4] == keccak(text="InvalidReceiver(string)")[:4]:
        print(f"no contract is at {decode(['string'], reason[4:])[0]}")
    else:  # another of the errors in docs/contracts
        print(f"refused with {Web3.to_hex(reason)}")
