"""Compares a model's silhouettes with the photos it was made from, and finds which side is its front.

`python -m acr3d.silhouettes MODEL.glb front=a.jpg right=b.jpg`. It uses `render` to draw the model and
`carving` to find the part in a photo. It runs in a child process, so importing the package itself must load
nothing. How it works: docs/decisions/0023-agreement.md.
"""
