"""Runs under the Python of `provision.python_peers`: reads and writes status lists and Data Integrity proofs by openvc-core.

One JSON list of questions on standard input, one list of answers on standard output.
"""

import json
import sys

from openvc.errors import OpenvcError
from openvc.keys import P256SigningKey
from openvc.proof.di_jcs import EcdsaJcsProofSuite
from openvc.status.bitstring import decode_bitstring, encode_bitstring
from openvc.status.token_status_list import decode_status_list, encode_status_list, get_status


def token_list(q):
    octets = decode_status_list(q["lst"])
    return [octets.hex(), [get_status(octets, index, bits=q["bits"]) for index in q["indices"]]]


def proof(q):
    EcdsaJcsProofSuite().verify(q["document"], public_key_jwk=q["jwk"], check_temporal=False)
    return True


def signed(q):
    key = P256SigningKey.generate(q["method"])
    document = EcdsaJcsProofSuite().add_proof(q["document"], signing_key=key, verification_method=q["method"])
    jwk = key.public_jwk
    return [document, jwk() if callable(jwk) else jwk]


DO = {
    "write proof": signed,
    "read token list": token_list,
    "write token list": lambda q: encode_status_list(bytes.fromhex(q["octets"])),
    "read bitstring": lambda q: decode_bitstring(q["list"]).hex(),
    "write bitstring": lambda q: encode_bitstring(bytes.fromhex(q["octets"])),
    "verify proof": proof,
}


def answer(q):
    try:
        return {"found": DO[q["do"]](q)}
    except OpenvcError as error:
        return {"refused": f"{type(error).__name__}: {error}"}


print(json.dumps([answer(question) for question in json.load(sys.stdin)]))
