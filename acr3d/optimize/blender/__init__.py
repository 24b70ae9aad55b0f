"""Baking normal maps in Blender: `bake` starts `python -m acr3d.optimize.blender FOLDER` as a child process.

The child runs in an environment of its own that has `bpy` (docs/decisions/0027-optimizer-blender.md).
"""
