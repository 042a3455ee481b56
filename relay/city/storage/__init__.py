"""Trusted storage in the city: operators, a gateway and an auditor, which run while a case asks for them."""
