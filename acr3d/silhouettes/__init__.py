"""A model against the photos that it was made of: how well their outlines agree, and which side is its front.

`python -m acr3d.silhouettes MODEL.glb front=a.jpg right=b.jpg` is its whole face. The `__init__` imports
nothing: the package runs in a child. It stands between `render`, which draws the model, and `engine`, which
finds a photo's outline: docs/decisions/agreement.md.
"""
