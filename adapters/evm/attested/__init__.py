"""EVM chains without provable consensus: their blocks count once enough attestors signed for them."""
