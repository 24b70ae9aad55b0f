"""The learned cut-out: a network's opinion of which pixels of a photo belong to its main object.

Works on files only, in a child process. onnxruntime and the network's weights are optional (`make cutout`);
`acr3d.outlines.method` knows whether they are there. docs/decisions/0036-cutout.md.
"""
