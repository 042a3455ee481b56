"""The one base of what a hub process must not go on after."""


class NodeMustHalt(Exception):
    """Whoever runs the node must act first: the text is one sentence that says what happened and what to do."""
