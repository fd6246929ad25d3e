"""A whole campus simulated: places, fleet, world, and the stage on which it plays."""
