"""The printed sheet that a part lies on during a spin capture: markers in millimetres, and its drawings."""
