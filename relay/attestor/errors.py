"""Why an attestor does not start."""


class AttestorUnusable(Exception):
    """One sentence for the operator."""
