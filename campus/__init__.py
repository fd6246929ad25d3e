"""The vocabulary everyone shares: quantities, units, readings, devices, places, people, hours. It stands alone."""
