"""How true an optimized model looks beside its source: rendered in three.js, compared by SSIM."""
