"""What an exercise needs of simulation: copies of real devices, and what happens to them."""
