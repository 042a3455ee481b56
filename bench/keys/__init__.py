"""`python -m bench keys`: what keys elsewhere cost, and that nothing they sign is wrong."""
