"""Retention, erasure and what is held on one person: says which rows; the store deletes them."""
