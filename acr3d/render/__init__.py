"""Draws a GLB without GPU or display: `python -m acr3d.render IN.glb OUT.webp`.

Of acr3d it uses only `gltf`. It runs in a child process, so importing the package itself must load nothing.
Why acr3d has its own renderer: docs/decisions/0030-render.md.
"""
