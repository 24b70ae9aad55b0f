"""Makes a raw GLB small: `python -m acr3d.optimize IN.glb OUT.glb`.

Of acr3d it uses only `gltf`, and `sandbox` for Blender's process. It runs in a child process, so importing
the package itself must load nothing.
"""
