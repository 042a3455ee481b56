"""The wallet: sign one of the prepared transactions: python3 sign.py NETWORK PREPARED NUMBER."""

import json
import sys
from pathlib import Path

from eth_account import Account
from web3 import HTTPProvider, Web3

network, prepared = (json.loads(Path(name).read_text()) for name in sys.argv[1:3])
unsigned = prepared["transactions"][int(sys.argv[3])]
here = network["chains"][unsigned["chain"]]
keystore, password = Path(here["user"]["keystore"]).read_text(), Path(here["user"]["password_file"]).read_text()
account = Account.from_key(Account.decrypt(json.loads(keystore), password))

call = {"from": unsigned["from"], "to": unsigned["to"], "data": unsigned["data"]}
gas = unsigned["gas"]
if gas is None:  # after an allowance: known when that is included
    gas = Web3(HTTPProvider(here["rpc"])).eth.estimate_gas(call)
signed = account.sign_transaction(
    {
        "type": 2,
        "chainId": unsigned["chain_id"],
        "to": unsigned["to"],
        "data": unsigned["data"],
        "value": 0,
        "gas": gas,
        "nonce": unsigned["nonce"],
        "maxFeePerGas": int(unsigned["max_fee_per_gas_wei"]),
        "maxPriorityFeePerGas": int(unsigned["max_priority_fee_per_gas_wei"]),
    }
)
print(json.dumps({"chain": unsigned["chain"], "raw": Web3.to_hex(signed.raw_transaction)}))
