"""Draw the photos of one part on white, all at one scale and in the middle; runs in a child."""
