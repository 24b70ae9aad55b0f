"""A GLB in, pictures of it out, without GPU or display. `python -m acr3d.render IN.glb OUT.webp` works alone.

This package knows of acr3d only `optimize`'s reading of files, and its `__init__` imports nothing: it runs in
a child process. Why it is our own: docs/decisions/render.md.
"""
