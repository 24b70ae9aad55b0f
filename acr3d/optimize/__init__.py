"""A raw GLB in, a small GLB and a report out. `python -m acr3d.optimize IN.glb OUT.glb` is the whole face.

This package knows nothing else of acr3d, and its `__init__` imports nothing: it runs in a child process.
"""
