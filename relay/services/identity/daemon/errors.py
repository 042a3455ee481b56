"""Why a role cannot begin."""


class RoleUnusable(Exception):
    """A role cannot do its work with what its table says; one sentence, for whoever starts the daemon."""
