"""The registry in forms that others read: what the records of a hub prove of issuers, and what an operator says of them."""
