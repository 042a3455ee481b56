"""What engines must answer: positive answers by libraries of two authors or published, negatives and edges made of them by one change."""
