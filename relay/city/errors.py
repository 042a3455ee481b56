"""How the city refuses."""


class CityUnusable(Exception):
    """What was asked cannot be done here; one sentence for the person at the terminal says why and what to do."""


class CityFailed(Exception):
    """The city did not come up, or did not end; one sentence names the process or command and its last words."""
