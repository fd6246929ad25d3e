"""From the broker to the journal: receive, decode, normalise, commit, then acknowledge. Nothing here judges a value."""
