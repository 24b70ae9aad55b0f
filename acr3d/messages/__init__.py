"""What people are told, as a code and parameters: stored as such, worded when it is read."""
