"""The only reader and writer: Delta tables, feeds, published snapshots, files on any file system."""
