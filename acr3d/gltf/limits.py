"""The most that one file may ask for. With these limits the work stays under 400 MB for any file."""

from __future__ import annotations

MEGABYTE = 1 << 20

FILE_BYTES = 200 * MEGABYTE
# That of the text and of what it becomes, which can be 25 times as much ({},{},{} …).
JSON_MEMORY = 150 * MEGABYTE
# DracoPy's encoder peaks at about 200 bytes per triangle (measured).
TRIANGLES = 1_000_000
ELEMENTS = 3 * TRIANGLES
# Browsers walk the tree recursively.
NODE_DEPTH = 4096
IMAGE_SIDE = 16_384
IMAGE_DECODED_BYTES = 280 * MEGABYTE
