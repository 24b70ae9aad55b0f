"""A finished GLB in other formats. `python -m acr3d.model_export IN.glb OUT.stl` works on its own."""
