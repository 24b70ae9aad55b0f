"""Spin captures on the server: uploads in pieces, reading them in the background, and what is kept.

The videos and original photos are dropped once they are read or refused: models are made of the kept frames,
which stay, with their cameras, as long as the part, so that a model can be made again. Frames go before that
only when a newer capture of the same position is ready and no job was made of them.
"""
