"""What the service looks at to know that something keeps it from its work, a file a subject; all of them in the catalogue."""
