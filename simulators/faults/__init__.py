"""What can go wrong, as data, and how it comes about in the models."""
