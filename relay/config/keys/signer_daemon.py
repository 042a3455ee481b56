"""The configuration of `hutong signer run`.

Example:

    [signer]
    listen = "10.0.0.7:9000"
    record = "signed.jsonl"
    tls_certificate = "tls/signer.pem"
    tls_key = "tls/signer.key"
    client_ca = "tls/clients.pem"        # who may ask: clients with a certificate of this authority

    [[keys]]
    keystore = "keys/alpha.json"
    password_file = "keys/alpha.password"
    policy = { documents = ["evm-transaction"], chains = ["31337"], cost_per_day_wei = 500_000_000_000_000_000 }
"""

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from hutong.relay.config.api import is_loopback
from hutong.relay.config.errors import Problem
from hutong.relay.config.fields import FilePath, ListenAddress, Model
from hutong.relay.config.keys.kinds import AnyKeyConfig

MAX_SIGNER_KEYS = 64


class SignerProcess(Model):
    """Where it listens, who may ask, and where it writes down what it signs."""

    listen: ListenAddress
    record: FilePath
    record_lines: Annotated[int, Field(ge=100, le=1_000_000)] = 100_000
    """Of a file of the record; then it is put aside beside it, under the numbers of its lines, and may be moved away."""
    tls_certificate: FilePath | None = None
    tls_key: FilePath | None = None
    client_ca: FilePath | None = None
    """PEM of the authorities whose clients may ask."""
    requests_per_s: Annotated[int, Field(ge=1, le=100_000)] = 500
    in_flight: Annotated[int, Field(ge=1, le=256)] = 32
    """Signatures at once; a request above them waits for its turn, 2 s at most."""
    timeout_ms: Annotated[int, Field(ge=50, le=120_000)] = 10_000
    """One signature. What holds the key may take as long; then the answer is `unavailable`."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @property
    def host(self) -> str:
        """The host of `listen`, an IPv6 address without brackets."""
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """The port of `listen`; 0 lets the system choose."""
        return int(self.listen.rpartition(":")[2])

    @model_validator(mode="after")
    def _strangers_do_not_ask(self) -> Self:
        tls = (self.tls_certificate, self.tls_key, self.client_ca)
        if any(tls) and not all(tls):
            raise ValueError("needs all of tls_certificate, tls_key and client_ca, or none")
        if not any(tls) and not is_loopback(self.host):
            raise ValueError(
                f"listens on {self.host} and takes anybody: give tls_certificate, tls_key and client_ca, or listen on 127.0.0.1"
            )
        return self


class SignerConfig(Model):
    """The file of `hutong signer run`."""

    signer: SignerProcess
    keys: Annotated[tuple[AnyKeyConfig, ...], Field(min_length=1, max_length=MAX_SIGNER_KEYS, strict=False)]


def signer_problems(config: SignerConfig) -> Iterator[Problem]:
    """Keys without a policy, with a record of their own, of another curve than accounts have, or twice."""
    known: dict[object, int] = {}
    for number, key in enumerate(config.keys):
        if key.policy is None:
            yield Problem(f"keys.{number}.policy", "is missing", "say what the key may sign: here others ask")
        elif key.policy.record is not None:
            yield Problem(
                f"keys.{number}.policy.record", "has no place here", "the record of [signer] is that of all keys"
            )
        if key.key_curve != "secp256k1":
            yield Problem(f"keys.{number}.curve", "is not secp256k1", "who signs tokens names such a key itself")
        first = known.setdefault(key.same_key, number)
        if first != number:
            yield Problem(f"keys.{number}.{key.named_by}", f"is also keys.{first}", "name each key once")
