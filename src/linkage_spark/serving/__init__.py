"""The published star: what readers get, as flat tables."""
