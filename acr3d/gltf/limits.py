"""How much one file may ask for, so that the work stays under 400 MB whatever the file says of itself."""

from __future__ import annotations

MEGABYTE = 1 << 20

FILE_BYTES = 200 * MEGABYTE
# Parsed JSON takes up to 25 times its text in memory ({},{},{} …).
JSON_BYTES = 6 * MEGABYTE
# DracoPy's encoder was measured at about 200 bytes a triangle at its peak.
TRIANGLES = 1_000_000
ELEMENTS = 3 * TRIANGLES
NODE_DEPTH = 256
IMAGE_SIDE = 16_384
IMAGE_DECODED_BYTES = 280 * MEGABYTE
