"""What tests of stores share."""

from __future__ import annotations

from store.timeseries.contract import Aggregate

#: what each aggregate is of values in their order of time
REFERENCE = {
    Aggregate.MEAN: lambda values: sum(values) / len(values),
    Aggregate.MIN: min,
    Aggregate.MAX: max,
    Aggregate.SUM: sum,
    Aggregate.COUNT: len,
    Aggregate.FIRST: lambda values: values[0],
    Aggregate.LAST: lambda values: values[-1],
}
