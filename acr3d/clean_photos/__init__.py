"""Clean photos: a photo's part cut out on white with a soft shadow, beside the photo as it was taken.

`making` has them made by a child (`drawing`) from the stored outlines and keeps them, `shown` says which of
the two a customer sees.
"""
