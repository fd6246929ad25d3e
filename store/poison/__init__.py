"""What is being handled at this moment, and what has killed the service before: on disk before anything is touched."""
