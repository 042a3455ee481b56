"""Whose certificates the daemon takes from those whom it asks over HTTPS."""

import ssl

import httpx

from hutong.relay.services.identity.daemon.errors import RoleUnusable
from hutong.relay.services.identity.daemon.settings import IdentityServer


def tls_context(server: IdentityServer) -> ssl.SSLContext:
    """The known authorities, and those of `tls_authorities`.

    Raises:
        RoleUnusable: that is no file of certificates.
    """
    context, authorities = httpx.create_ssl_context(trust_env=False), server.tls_authorities
    if authorities is not None:
        try:
            context.load_verify_locations(cafile=authorities)
        except (OSError, ssl.SSLError) as error:
            raise RoleUnusable(f"server.tls_authorities {authorities} is no file of certificates: {error}") from None
    return context
