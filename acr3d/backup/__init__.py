"""Backup and restore: a snapshot of the database, every stored file and a manifest in one .tar."""
