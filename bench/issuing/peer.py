"""Runs under the Python of `provision.python_peers`: credentials a second of processor time by openvc-core.

One JSON object on standard input; then, for each line, the rate of one round on standard output.
"""

import json
import sys
import time

from openvc.keys import signing_key_from_jwk
from openvc.proof.sd_jwt import SdJwtVcProofSuite

asked = json.loads(sys.stdin.readline())
key = signing_key_from_jwk(asked["jwk"], "key-1")
suite = SdJwtVcProofSuite()
status = {"status_list": {"idx": 41, "uri": f"{asked['issuer']}/status/0"}}
claims = {"iss": asked["issuer"], "status": status, **asked["claims"]}

for _ in sys.stdin:
    started = time.process_time()
    for _ in range(asked["count"]):
        suite.issue(
            claims, signing_key=key, disclosable=asked["claims"], holder_jwk=asked["holder"], vct=asked["vct"],
            expires_in_s=86_400, x5c=asked["x5c"],
        )  # fmt: skip
    print(asked["count"] / (time.process_time() - started), flush=True)
