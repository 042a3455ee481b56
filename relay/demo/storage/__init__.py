"""The demo of trusted storage: fourteen operators over two kinds of engine, a liar, a repair, four kills, and a verdict on another chain."""
