"""Encoding one primitive as a Draco stream; the step `draco_encode` applies it to a model."""
