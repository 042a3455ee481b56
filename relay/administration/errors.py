"""What an act of administration ends with, besides what a chain refuses or does not answer."""


class Unusable(Exception):
    """What the operator gave cannot be used: one sentence that says what to give. Nothing was sent."""


class Declined(Exception):
    """What was asked for would do harm, or there is nothing to act on: one sentence. Nothing was sent."""
