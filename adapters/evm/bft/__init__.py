"""EVM chains whose blocks carry their validators' commit seals, such as QBFT and IBFT 2.0."""
