"""The journal: one append-only log of decoded readings, the spine of the service, and who follows it."""
