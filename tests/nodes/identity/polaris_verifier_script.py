"""Runs under the Python of `provision.python_peers`: polaris-oid4vp's verifier behind its own HTTPS server.

First line of input: its settings as JSON. It prints its port; then for each line `request` the link of a new request, and for
`verdicts` what it said of the answers since the last time.
"""

import json
import sys
from pathlib import Path
from urllib.parse import urlencode

from cryptography.x509 import load_pem_x509_certificate
from polaris_oid4vp.serve import REQUEST_PATH, RESPONSE_PATH, serve
from polaris_oid4vp.verifier import Verifier

settings = json.loads(sys.stdin.readline())
verdicts = []
verifier = Verifier(
    client_cert_pem=Path(settings["certificate"]).read_bytes(),
    client_key_pem=Path(settings["key"]).read_bytes(),
    request_uri="https://127.0.0.1/request.jwt",
    response_uri="https://127.0.0.1/response",
    issuer_trust_anchors=[load_pem_x509_certificate(Path(settings["anchor"]).read_bytes())],
    vct_values=settings["vct_values"],
    claims=settings["claims"],
)
httpd = serve(
    verifier, host="127.0.0.1", port=0, certfile=settings["tls_certificate"], keyfile=settings["tls_key"],
    on_verdict=lambda status, body, verdict: verdicts.append([status, verdict is not None and verdict.authentic]),
)  # fmt: skip
base = f"https://127.0.0.1:{httpd.server_address[1]}"
verifier.request_uri, verifier.response_uri = base + REQUEST_PATH, base + RESPONSE_PATH
verifier.redirect_uri = f"{base}/done"
print(base, flush=True)
for line in sys.stdin:
    if line.strip() == "request":
        session, _ = verifier.new_request()
        print("openid4vp://?" + urlencode(verifier.authorization_request_params(session)), flush=True)
    else:
        print(json.dumps(verdicts), flush=True)
        verdicts.clear()
