"""What is kept: the journal, time series, operations, quarantine, and the record of deaths. It looks at the campus only."""
