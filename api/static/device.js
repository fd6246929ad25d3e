// The tooltip is drawn, too: as HTML it would need inline styles, which the page's policy forbids.
// One chart a series; registers are drawn as they stand, everything else as means of its step with their range.
(function () {
  "use strict";
  const dark = window.matchMedia("(prefers-color-scheme: dark)").matches;
  const charts = Array.from(document.querySelectorAll(".chart")).map((box) => ({ box, chart: echarts.init(box, dark ? "dark" : null) }));
  async function load(hours) {
    const end = new Date(), start = new Date(end - hours * 3600e3);
    const step = hours > 200 ? 3600 : hours > 24 ? 900 : 60;
    await Promise.all(charts.map(async ({ box, chart }) => {
      const query = new URLSearchParams({ quantity: box.dataset.quantity, channel: box.dataset.channel, start: start.toISOString(), end: end.toISOString(), step_s: step });
      const answer = await fetch(`/api/devices/${encodeURIComponent(box.dataset.device)}/history?${query}`);
      const body = answer.ok ? await answer.json() : { points: [] };
      chart.setOption({
        backgroundColor: "transparent", animation: false,
        grid: { left: 56, right: 16, top: 16, bottom: 28 },
        tooltip: { trigger: "axis", renderMode: "richText", valueFormatter: (value) => `${value} ${box.dataset.unit}` },
        xAxis: { type: "time", min: start, max: end },
        yAxis: { type: "value", scale: true },
        title: { show: body.points.length === 0, text: box.dataset.empty, left: "center", top: "middle", textStyle: { fontSize: 14, fontWeight: 400 } },
        series: [{ type: "line", showSymbol: false, data: body.points.map(([at, value]) => [at, Math.round(value * 1000) / 1000]), lineStyle: { width: 2 }, color: "#1f8a6f" }],
      }, true);
    }));
  }
  document.querySelectorAll("[data-hours]").forEach((button) => button.addEventListener("click", () => {
    document.querySelectorAll("[data-hours]").forEach((one) => one.setAttribute("aria-pressed", String(one === button)));
    load(Number(button.dataset.hours));
  }));
  window.addEventListener("resize", () => charts.forEach(({ chart }) => chart.resize()));
  load(24);
})();
