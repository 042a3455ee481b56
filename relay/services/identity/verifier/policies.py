"""Policies as they are asked and judged: files of the configuration, read once."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from hutong.light_clients.interface import VerificationError
from hutong.relay.services.identity.daemon.errors import RoleUnusable
from hutong.relay.services.identity.rules.dcql import DcqlQuery, read_query
from hutong.relay.services.identity.rules.dcql.query import SD_JWT_VC_FORMAT
from hutong.relay.services.identity.rules.jose import read_anchors
from hutong.relay.services.identity.rules.sd_jwt import IssuerTrust
from hutong.relay.services.identity.verifier.settings import PolicyConfig


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy by its name. `trust` says who may issue, and who may sign their lists."""

    name: str
    settings: PolicyConfig
    query: DcqlQuery
    trust: IssuerTrust


def read_policies(settings: Mapping[str, PolicyConfig]) -> Mapping[str, Policy]:
    """Every policy of a configuration.

    Raises:
        RoleUnusable: a file that is no query for SD-JWT VCs, or no anchors.
    """
    return MappingProxyType({name: _read(name, one) for name, one in settings.items()})


def _read(name: str, settings: PolicyConfig) -> Policy:
    place = f"verifier.policies.{name}"
    try:
        query = read_query(settings.query.read_bytes())
        path = settings.anchors
        anchors = None if path is None else read_anchors(path.read_bytes(), str(path))
    except (OSError, VerificationError) as error:
        raise RoleUnusable(f"{place}: {error}") from None
    others = [one.id for one in query.credentials if one.format != SD_JWT_VC_FORMAT]
    if others:
        raise RoleUnusable(f"{place}.query: credentials of another format than {SD_JWT_VC_FORMAT}: {others[0]}")
    return Policy(name, settings, query, IssuerTrust((), anchors))
