// A state timeline. No package has Grafana's own, so this file draws the states on
// the axes of Grafana's plot.
import { FieldType, formattedValueToString, getFieldDisplayName } from "@grafana/data";
import { UPlotChart, UPlotConfigBuilder, VizLayout, VizLegend, getTextColorForBackground, measureText } from "@grafana/ui";
import { useMemo } from "react";

import { plots } from "./plots.js";

const NAMED = { orientation: 1, direction: 1 };
const FONT_PIXELS = 12;

// [{name, spans: [{from, to, text, color}]}], one span per constant state.
function rowsOf(frames, range) {
  const rows = [];
  for (const frame of frames) {
    const time = frame.fields.find((field) => field.type === FieldType.time);
    for (const field of frame.fields) {
      if (field === time || !time) {
        continue;
      }
      const step = time.config.interval ?? Infinity;
      const spans = [];
      time.values.forEach((at, index) => {
        const shown = field.display(field.values[index]);
        const text = formattedValueToString(shown);
        const until = Math.min(at + step, range.to.valueOf());
        const last = spans.at(-1);
        if (field.values[index] === null) {
          return;
        }
        if (last && last.text === text && at - last.to < 1) {
          last.to = until;
        } else {
          spans.push({ from: at, to: until, text, color: shown.color });
        }
      });
      rows.push({ name: getFieldDisplayName(field, frame, frames), spans });
    }
  }
  return rows;
}

function drawSpans(plot, rows, options, theme) {
  plots.add(plot);
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  const lane = bbox.height / rows.length;
  const high = lane * (options.rowHeight ?? 0.9);
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.font = `${FONT_PIXELS * ratio}px ${theme.typography.fontFamily}`;
  ctx.textBaseline = "middle";
  rows.forEach(({ spans }, index) => {
    const top = bbox.top + index * lane + (lane - high) / 2;
    for (const { from, to, text, color } of spans) {
      const left = plot.valToPos(from, "x", true);
      const wide = Math.max(plot.valToPos(to, "x", true) - left, ratio);
      ctx.fillStyle = theme.visualization.getColorByName(color);
      ctx.globalAlpha = (options.fillOpacity ?? 70) / 100;
      ctx.fillRect(left, top, wide, high);
      ctx.globalAlpha = 1;
      const pad = 4 * ratio;
      if (options.showValue !== "never" && ctx.measureText(text).width + 2 * pad < wide) {
        ctx.fillStyle = getTextColorForBackground(ctx.fillStyle);
        ctx.fillText(text, left + pad, top + high / 2);
      }
    }
  });
  ctx.restore();
}

function plotOf(rows, range, options, theme) {
  const builder = new UPlotConfigBuilder("utc");
  builder.addScale({
    scaleKey: "x", isTime: true, orientation: 0, direction: 1,
    range: () => [range.from.valueOf(), range.to.valueOf()],
  });
  builder.addScale({ scaleKey: "y", ...NAMED, range: () => [0, rows.length] });
  builder.addAxis({ scaleKey: "x", isTime: true, placement: "bottom", timeZone: "utc", theme, grid: { show: true } });
  builder.addAxis({
    scaleKey: "y", placement: "left", theme, grid: { show: false }, ticks: { show: false },
    splits: rows.map((_, index) => rows.length - index - 0.5),
    values: rows.map(({ name }) => name),
    size: Math.max(...rows.map(({ name }) => measureText(name, FONT_PIXELS).width)) + 16,
  });
  builder.addSeries({
    scaleKey: "y", theme, pathBuilder: () => null, pointsBuilder: () => null, show: true,
    lineColor: "transparent", lineWidth: 0, showPoints: "never",
  });
  builder.addHook("drawClear", (plot) => drawSpans(plot, rows, options, theme));
  builder.setPrepData(() => []);
  return builder;
}

function legendItems(rows) {
  const colors = new Map();
  for (const { spans } of rows) {
    for (const { text, color } of spans) {
      colors.set(text, color);
    }
  }
  return [...colors].map(([label, color]) => ({ label, color, yAxis: 1 }));
}

export function StateTimeline({ panel, frames, width, height, range, theme }) {
  const custom = panel.fieldConfig?.defaults?.custom ?? {};
  const options = useMemo(() => ({ ...custom, ...panel.options }), [panel]);
  const rows = useMemo(() => rowsOf(frames, range), [frames, range]);
  const builder = useMemo(() => plotOf(rows, range, options, theme), [rows, range, options, theme]);
  const data = useMemo(() => [[range.from.valueOf(), range.to.valueOf()], [null, null]], [range]);
  const placement = options.legend?.placement ?? "bottom";
  const legend = options.legend?.showLegend === false ? null : (
    <VizLayout.Legend placement={placement}>
      <VizLegend placement={placement} items={legendItems(rows)} displayMode="list" />
    </VizLayout.Legend>
  );
  return (
    <VizLayout width={width} height={height} legend={legend}>
      {(wide, high) => <UPlotChart config={builder} data={data} width={wide} height={high} />}
    </VizLayout>
  );
}
