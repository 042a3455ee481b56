"""Who may take room among the transactions that wait."""
