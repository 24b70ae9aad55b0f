"""acr3d: photos of a mechanical part in, a model that a customer can turn around out."""
