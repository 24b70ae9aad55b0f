"""Spin capture: a video or photos of a part on the printed sheet become a model in true millimetres.

Two steps, each in a child process (acr3d.sandbox): `read` finds the frames worth keeping, the lens and where
each was held; `build` finds outlines, carves the solid and colours it. Needs PyAV and OpenCV (`make spin`).
"""
