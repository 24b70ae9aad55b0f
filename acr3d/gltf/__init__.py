"""Reading, checking and writing glTF 2.0 binary files. Imports no other part of acr3d."""
