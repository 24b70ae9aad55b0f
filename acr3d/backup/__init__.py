"""Backup and restore: the database as it is at one moment, every stored file, and a manifest, in one .tar."""
