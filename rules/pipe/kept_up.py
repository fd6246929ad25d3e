"""The flow a meter keeps up without a pause, by the hour of the day: what people there usually bring about."""

from __future__ import annotations

import msgspec

#: of an hour so many values make it known: six a day
_KNOWN = 12
#: what was once is half forgotten after about a month of values
_FADES = 0.9965
_HOURS = 24


class KeptUp(msgspec.Struct):
    """The most of each hour, fading. JSON, and bounded."""

    most_m3h: list[float] = msgspec.field(default_factory=lambda: [0.0] * _HOURS)
    values: list[int] = msgspec.field(default_factory=lambda: [0] * _HOURS)

    def learn(self, hour: int, flow_m3h: float) -> None:
        """*flow_m3h* was kept up in *hour* (0 to 23, local) on a day on which all was well."""
        self.most_m3h[hour] = max(flow_m3h, self.most_m3h[hour] * _FADES)
        self.values[hour] = min(self.values[hour] + 1, _KNOWN)

    def most(self, hour: int) -> float | None:
        """The most of that hour and the ones beside it, as people come a little earlier or later; None while unknown."""
        if self.values[hour] < _KNOWN:
            return None
        return max(self.most_m3h[(hour + near) % _HOURS] for near in (-1, 0, 1))
