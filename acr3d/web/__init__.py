"""Thin pages and the JSON API: read the request, make one call, render."""
