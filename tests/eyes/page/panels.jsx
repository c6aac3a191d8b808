// The panel types, each drawn with the component that Grafana uses. This file adds
// what Grafana's plugins do around those components.
import {
  FieldType,
  VizOrientation,
  getDisplayValueAlignmentFactors,
  getFieldDisplayValues,
  renderTextPanelMarkdown,
} from "@grafana/data";
import {
  BarGauge,
  BigValue,
  BigValueTextMode,
  TimeSeries,
  VizRepeater,
} from "@grafana/ui";
import { TableNG } from "@grafana/ui/unstable";
import { useLayoutEffect, useMemo } from "react";

import { sourceOf } from "./field_config.js";
import { plots } from "./plots.js";
import { StateTimeline } from "./timeline.jsx";

const LEGEND = { displayMode: "list", placement: "bottom", showLegend: true, calcs: [] };
const REDUCE = { calcs: ["lastNotNull"], fields: "", values: false };

export function NoData({ width, height }) {
  return (
    <div className="no-data" style={{ width, height }}>
      No data
    </div>
  );
}

// Vertical lines at annotations, as Grafana draws them: a dashed line and
// a triangle below.
function AnnotationLines({ config, annotations, theme }) {
  useLayoutEffect(() => {
    config.addHook("draw", (plot) => {
      plots.add(plot);
      const { ctx, bbox } = plot;
      const ratio = devicePixelRatio;
      ctx.save();
      for (const { color, times } of annotations) {
        ctx.strokeStyle = ctx.fillStyle = theme.visualization.getColorByName(color || "blue");
        ctx.lineWidth = 2 * ratio;
        for (const at of times) {
          const x = Math.round(plot.valToPos(at, "x", true));
          ctx.setLineDash([5, 5]);
          ctx.beginPath();
          ctx.moveTo(x, bbox.top);
          ctx.lineTo(x, bbox.top + bbox.height);
          ctx.stroke();
          ctx.beginPath();
          ctx.moveTo(x - 4 * ratio, bbox.top + bbox.height + 6 * ratio);
          ctx.lineTo(x + 4 * ratio, bbox.top + bbox.height + 6 * ratio);
          ctx.lineTo(x, bbox.top + bbox.height);
          ctx.fill();
        }
      }
      ctx.restore();
    });
  }, [config, annotations, theme]);
  return null;
}

// 0/0 has no position on an axis.
function graphable(frames) {
  const kept = (value) => (Number.isFinite(value) ? value : null);
  return frames.map((frame) => ({
    ...frame,
    fields: frame.fields.map((field) =>
      field.type === FieldType.number ? { ...field, values: field.values.map(kept) } : field,
    ),
  }));
}

function TimeSeriesPanel({ panel, frames, width, height, range, theme, annotations }) {
  const drawn = useMemo(() => graphable(frames), [frames]);
  return (
    <TimeSeries
      frames={drawn}
      timeRange={range}
      timeZone="utc"
      width={width}
      height={height}
      legend={{ ...LEGEND, ...panel.options?.legend }}
      options={panel.options ?? {}}
    >
      {(config) => <AnnotationLines config={config} annotations={annotations} theme={theme} />}
    </TimeSeries>
  );
}

function displayValues(props, sparkline) {
  const { panel, frames, theme, range, variables } = props;
  const values = getFieldDisplayValues({
    fieldConfig: sourceOf(panel),
    reduceOptions: { ...REDUCE, ...panel.options?.reduceOptions },
    replaceVariables: (text) => variables.text(text),
    theme,
    data: frames,
    sparkline,
    timeZone: "utc",
  });
  for (const value of values) {
    if (value.sparkline) {
      value.sparkline.timeRange = range;
    }
  }
  return values;
}

function Repeated(props) {
  const { panel, frames, width, height, sparkline, autoGrid, itemSpacing, render, least } = props;
  return (
    <VizRepeater
      getValues={() => displayValues(props, sparkline)}
      getAlignmentFactors={getDisplayValueAlignmentFactors}
      renderValue={render}
      source={frames}
      renderCounter={1}
      width={width}
      height={height}
      itemSpacing={itemSpacing}
      autoGrid={autoGrid}
      orientation={panel.options?.orientation ?? VizOrientation.Auto}
      {...least}
    />
  );
}

function StatPanel(props) {
  const { panel, theme } = props;
  const options = { graphMode: "area", colorMode: "value", justifyMode: "auto", textMode: "auto", ...panel.options };
  const named = options.textMode === "auto" && panel.fieldConfig?.defaults?.displayName;
  const render = ({ value, alignmentFactors, width, height, count }) => (
    <BigValue
      value={value.display}
      count={count}
      sparkline={value.sparkline}
      colorMode={options.colorMode}
      graphMode={options.graphMode}
      justifyMode={options.justifyMode}
      textMode={named ? BigValueTextMode.ValueAndName : options.textMode}
      alignmentFactors={alignmentFactors}
      text={options.text}
      width={width}
      height={height}
      theme={theme}
      wideLayout={options.wideLayout ?? true}
      percentChangeColorMode={options.percentChangeColorMode}
      hasLinks={false}
    />
  );
  return <Repeated {...props} sparkline={options.graphMode !== "none"} autoGrid itemSpacing={3} render={render} />;
}

function BarGaugePanel(props) {
  const { panel, theme } = props;
  const options = { displayMode: "gradient", showUnfilled: true, namePlacement: "auto", ...panel.options };
  const render = ({ value, alignmentFactors, orientation, width, height, count }) => (
    <BarGauge
      value={count === 1 && !value.field.displayName ? { ...value.display, title: undefined } : value.display}
      field={value.field}
      display={value.view?.getFieldDisplayProcessor(value.colIndex)}
      width={width}
      height={height}
      orientation={orientation}
      text={options.text}
      theme={theme}
      itemSpacing={options.displayMode === "lcd" ? 2 : 10}
      lcdCellWidth={options.displayMode === "lcd" ? 12 : undefined}
      displayMode={options.displayMode}
      showUnfilled={options.showUnfilled}
      valueDisplayMode={options.valueMode}
      namePlacement={options.namePlacement}
      alignmentFactors={count > 1 ? alignmentFactors : undefined}
    />
  );
  const { minVizWidth = 8, minVizHeight = 16, maxVizHeight = 300 } = panel.options ?? {};
  const least = { minVizWidth, minVizHeight, maxVizHeight };
  const space = options.displayMode === "lcd" ? 2 : 10;
  return <Repeated {...props} itemSpacing={space} render={render} least={least} />;
}

function TablePanel({ panel, frames, width, height, range }) {
  const options = panel.options ?? {};
  return (
    <TableNG
      data={frames[0]}
      width={width}
      height={height}
      noHeader={options.showHeader === false}
      showTypeIcons={options.showTypeIcons}
      resizable
      sortBy={options.sortBy}
      cellHeight={options.cellHeight}
      enablePagination={options.enablePagination ?? options.footer?.enablePagination}
      frozenColumns={options.frozenColumns?.left}
      timeRange={range}
      fieldConfig={panel.fieldConfig}
      structureRev={1}
      enableVirtualization={false}
    />
  );
}

function TextPanel({ panel, variables }) {
  const html = renderTextPanelMarkdown(variables.text(panel.options?.content ?? ""));
  return <div className="markdown-html" dangerouslySetInnerHTML={{ __html: html }} />;
}

// The queries of log stores have no answer here.
function LogsPanel() {
  return <div>Messages are not drawn here.</div>;
}

export const PANELS = {
  logs: LogsPanel,
  timeseries: TimeSeriesPanel,
  stat: StatPanel,
  bargauge: BarGaugePanel,
  table: TablePanel,
  "state-timeline": StateTimeline,
  text: TextPanel,
};

// A panel has data if a query returns a number or a row.
export function isEmpty(frames) {
  return !frames.some((frame) =>
    frame.fields.some(
      (field) => field.type !== FieldType.time && field.values.some((value) => value !== null && value !== undefined),
    ),
  );
}
