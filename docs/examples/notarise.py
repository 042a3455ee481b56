"""Notarise a document's hash on every chain: python3 notarise.py NETWORK FROM DOCUMENT."""

import json
import os
import sys
from hashlib import sha256
from pathlib import Path

from eth_account import Account

from hutong.sdk import Hutong

network = json.loads(Path(sys.argv[1]).read_text())
source, document = sys.argv[2], Path(sys.argv[3])
user = network["chains"][source]["user"]
keystore, password = Path(user["keystore"]).read_text(), Path(user["password_file"]).read_text()
account = Account.from_key(Account.decrypt(json.loads(keystore), password))
digest = sha256(document.read_bytes()).digest()
print(f"{document}: sha256 {digest.hex()}")

with Hutong(network["api"], api_key=os.environ["HUTONG_API_KEY"]) as hutong:
    sent = {}
    for name, chain in network["chains"].items():
        if name != source:  # the sending transaction holds the hash there
            prepared = hutong.prepare_message(
                source, name, sender=account.address, receiver=chain["receiver"], payload=digest
            )
            sent[name] = hutong.sign_and_submit(prepared, account).message
            print(f"{source}: written in transaction {sent[name].sent_transaction}")
    for name, message in sent.items():
        *_, last = hutong.follow(message.id, timeout_s=300)
        if not last.is_delivered:
            sys.exit(f"{name}: not written, {last.state}: {hutong.why(last.id).sentence}")
        (step,) = [
            step
            for step in hutong.message(last.id).timeline
            if (step.chain, step.kind, step.step) == (name, "receive", "included")
        ]
        print(f"{name}: written in block {step.height} at {step.block_time:%Y-%m-%d %H:%M:%S}Z, {step.transaction}")
        bundle = Path(f"{document.name}.{name}.bundle.json")
        bundle.write_bytes(hutong.bundle(last.id))
        print(f"{name}: proof in {bundle}")
