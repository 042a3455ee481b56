"""A progress bar over a message's stages: python3 wait_for_finality.py NETWORK FROM TO."""

import json
import os
import sys
from pathlib import Path

import trio
from eth_account import Account
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from hutong.sdk import MessageStage, TrioHutong

STAGES = {
    MessageStage.SENT: "sent, final on {source}",
    MessageStage.AT_HUB: "received by the hub",
    MessageStage.DELIVERED: "delivered on {destination}",
    MessageStage.SETTLED: "settled, acknowledged on {source}",
}


network = json.loads(Path(sys.argv[1]).read_text())
source, destination = sys.argv[2:4]
user, receiver = network["chains"][source]["user"], network["chains"][destination]["receiver"]
keystore, password = Path(user["keystore"]).read_text(), Path(user["password_file"]).read_text()
account = Account.from_key(Account.decrypt(json.loads(keystore), password))


async def main() -> None:
    columns = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/4"), TimeElapsedColumn()
    async with TrioHutong(network["api"], api_key=os.environ["HUTONG_API_KEY"]) as hutong:
        with trio.fail_after(300), Progress(*columns) as progress:
            bar = progress.add_task("signing", total=len(STAGES))
            prepared = await hutong.prepare_message(
                source, destination, sender=account.address, receiver=receiver, payload=b"are we there?"
            )
            sent = await hutong.sign_and_submit(prepared, account)
            async for message in hutong.follow(sent.message.id):
                text = STAGES[message.stage].format(source=source, destination=destination)
                done = list(STAGES).index(message.stage) + 1
                progress.update(bar, completed=done, description=message.waiting or text)
        print(f"{message.id} is {message.state}, {message.settled_at - message.sent_at} after it was sent")


trio.run(main)
