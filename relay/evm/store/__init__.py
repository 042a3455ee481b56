"""Where the EVM's state is kept: databases, tries, journals."""
