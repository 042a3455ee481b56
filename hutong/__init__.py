"""The one name under which hutong is imported (docs/adr/0019-one-import-name.md).

In a checkout `relay`, `adapters`, `light_clients` and `contracts` stand beside this folder, and links here point to them.
Installed, they stand inside it, so that no module of hutong can be taken for another's or for a user's own folder.
"""
