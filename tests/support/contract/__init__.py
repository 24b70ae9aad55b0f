"""Meshy's contract as the tests hold it: a description, and servers that check what passes through them."""
