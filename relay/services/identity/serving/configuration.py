"""The configuration file of `hutong identity serve`: `[server]`, and one table for each role that runs.

A role runs when its table is there. A new role is a field here and a line in `roles.py`.
"""

from collections.abc import Iterator
from pathlib import Path

from hutong.relay.config import Problem, load_model, server_problems
from hutong.relay.config.fields import Model
from hutong.relay.services.identity.daemon.settings import IdentityServer
from hutong.relay.services.identity.issuer.settings import IssuerConfig, issuer_file_problems
from hutong.relay.services.identity.issuer.type_documents import type_file_problems
from hutong.relay.services.identity.login.settings import LoginConfig, login_problems
from hutong.relay.services.identity.registrar.settings import RegistrarConfig, registrar_problems
from hutong.relay.services.identity.resolver.settings import ResolverConfig, resolver_problems
from hutong.relay.services.identity.status_host.settings import StatusConfig, status_file_problems
from hutong.relay.services.identity.verifier.settings import VerifierConfig, verifier_file_problems


class IdentityConfig(Model):
    """A whole file."""

    server: IdentityServer
    issuer: IssuerConfig | None = None
    verifier: VerifierConfig | None = None
    status: StatusConfig | None = None
    login: LoginConfig | None = None
    """Needs `verifier`."""
    resolver: ResolverConfig | None = None
    registrar: RegistrarConfig | None = None


def load_identity_config(path: Path) -> IdentityConfig:
    """The configuration in a file, with every path absolute and every file that it names looked at.

    Raises:
        ConfigError: with every problem found, each naming its field.
    """
    return load_model(path, IdentityConfig, _contradictions, _file_problems)


def _contradictions(config: IdentityConfig) -> Iterator[Problem]:
    if all(getattr(config, name) is None for name in IdentityConfig.model_fields if name != "server"):
        yield Problem("file", "has no role", "add a table such as [issuer]")


def _file_problems(config: IdentityConfig) -> Iterator[Problem]:
    yield from server_problems(config.server, "server")
    if config.issuer is not None:
        yield from issuer_file_problems(config.issuer, "issuer")
        yield from type_file_problems(config.issuer, "issuer")
    if config.status is not None:
        yield from status_file_problems(config.status, "status")
    if config.verifier is not None:
        yield from verifier_file_problems(config.verifier, "verifier")
    if config.login is not None:
        yield from login_problems(config.login, config.verifier, "login")
    if config.resolver is not None:
        yield from resolver_problems(config.resolver, "resolver")
    if config.registrar is not None:
        yield from registrar_problems(config.registrar, "registrar")
