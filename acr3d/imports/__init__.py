"""Parts from a table: read it, see what would change, change it; and the same table out again."""
