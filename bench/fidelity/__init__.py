"""How much an optimized model looks like its source: rendered in three.js, compared by SSIM."""
