"""Baking normal maps in Blender: `python -m acr3d.optimize.blender FOLDER`, run by Blender's own interpreter.

Nothing of acr3d imports this package: `bpy` lives in an environment of its own
(docs/decisions/optimizer-blender.md).
"""
