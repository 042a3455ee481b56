"""A block that this node cannot execute: noticed, signed for, and followed as empty once enough others cannot either."""
