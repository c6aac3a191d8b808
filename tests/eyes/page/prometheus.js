// Queries as Grafana's Prometheus data source sends them, and its conversion of
// answers to data frames.
import { FieldType, dateMath, dateTime, rangeUtil, renderLegendFormat, toDataFrame } from "@grafana/data";

const SCRAPE_SECONDS = 60; // the data source's "Scrape interval"

export async function ask(path, parameters) {
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) {
      form.append(name, value);
    }
  }
  const answer = await fetch(`prometheus/api/v1/${path}?${form}`);
  const body = await answer.json();
  if (body.status !== "success") {
    throw new Error(body.error || `HTTP ${answer.status}`);
  }
  return body.data;
}

export function rangeOf(time) {
  const raw = { from: time?.from ?? "now-6h", to: time?.to ?? "now" };
  const at = (text, up) => dateTime(dateMath.toDateTime(text, { roundUp: up, timezone: "utc" }));
  return { from: at(raw.from, false), to: at(raw.to, true), raw };
}

// The values of $__range and similar variables for this range.
export function fixedNames(range) {
  const from = range.from.valueOf();
  const to = range.to.valueOf();
  const seconds = Math.round((to - from) / 1000);
  return {
    __from: from,
    __to: to,
    __range: `${seconds}s`,
    __range_s: seconds,
    __range_ms: seconds * 1000,
  };
}

// The step of a query in a panel of this width, and the variables derived from it.
function stepOf(panel, target, range, width) {
  const least = target.interval || panel.interval || `${SCRAPE_SECONDS}s`;
  const points = panel.maxDataPoints || Math.max(width, 1);
  const { intervalMs } = rangeUtil.calculateInterval(range, points, least);
  const span = (range.to.valueOf() - range.from.valueOf()) / 1000;
  const factor = target.intervalFactor || 1;
  const step = Math.max((intervalMs / 1000) * factor, span / 11000);
  // A panel's "Min interval" bounds the step only.
  const scrape = target.interval
    ? rangeUtil.intervalToSeconds(target.interval)
    : SCRAPE_SECONDS;
  const rate = Math.max(step + scrape, 4 * scrape);
  const names = {
    __interval: `${step}s`,
    __interval_ms: step * 1000,
    __rate_interval: `${rate}s`,
    __rate_interval_ms: rate * 1000,
  };
  return { step, names };
}

function number(text) {
  return text === "+Inf" ? Infinity : text === "-Inf" ? -Infinity : Number(text);
}

function samplesOf(series) {
  return series.values ?? [series.value];
}

function seriesName(target, labels) {
  const format = target.legendFormat;
  if (format && format !== "__auto") {
    return renderLegendFormat(format, labels);
  }
  return Object.keys(labels).length ? undefined : target.expr;
}

function seriesFrames(target, result, step) {
  return result.map((series) => {
    const samples = samplesOf(series);
    const { __name__: name, ...labels } = series.metric ?? {};
    return toDataFrame({
      refId: target.refId,
      fields: [
        {
          name: "Time",
          type: FieldType.time,
          config: step ? { interval: step * 1000 } : {},
          values: samples.map(([at]) => at * 1000),
        },
        {
          name: name ?? "Value",
          type: FieldType.number,
          labels,
          config: { displayNameFromDS: seriesName(target, labels) },
          values: samples.map(([, text]) => number(text)),
        },
      ],
    });
  });
}

// One table of all series: time, a column for each label, the value.
function tableFrame(target, result, valueName) {
  const labels = [];
  const rows = [];
  for (const series of result) {
    for (const name of Object.keys(series.metric ?? {}).sort()) {
      if (!labels.includes(name)) {
        labels.push(name);
      }
    }
    for (const [at, text] of samplesOf(series)) {
      rows.push({ at: at * 1000, value: number(text), metric: series.metric ?? {} });
    }
  }
  return toDataFrame({
    refId: target.refId,
    fields: [
      { name: "Time", type: FieldType.time, config: {}, values: rows.map((row) => row.at) },
      ...labels.map((name) => ({
        name,
        type: FieldType.string,
        config: { filterable: true },
        values: rows.map((row) => row.metric[name] ?? ""),
      })),
      { name: valueName, type: FieldType.number, config: {}, values: rows.map((row) => row.value) },
    ],
  });
}

async function results(expr, target, range, step) {
  const from = Math.floor(range.from.valueOf() / 1000 / step) * step;
  const to = Math.floor(range.to.valueOf() / 1000 / step) * step;
  const data = target.instant
    ? await ask("query", { query: expr, time: range.to.valueOf() / 1000 })
    : await ask("query_range", { query: expr, start: from, end: to, step });
  return data.resultType === "scalar" ? [{ metric: {}, value: data.result }] : data.result;
}

// The frames of all queries of a panel.
export async function framesOf(panel, range, variables, width) {
  const targets = (panel.targets ?? []).filter((target) => !target.hide);
  const tables = targets.filter((target) => target.format === "table");
  const answers = await Promise.all(
    targets.map(async (target) => {
      const { step, names } = stepOf(panel, target, range, width);
      const result = await results(variables.query(target.expr, names), target, range, step);
      if (target.format === "table") {
        const name = tables.length > 1 ? `Value #${target.refId}` : "Value";
        return [tableFrame(target, result, name)];
      }
      return seriesFrames(target, result, target.instant ? 0 : step);
    }),
  );
  return answers.flat();
}

// The annotations of a dashboard: [{name, color, times}], times in ms.
export async function annotationsOf(dashboard, range, variables) {
  const wanted = (dashboard.annotations?.list ?? []).filter(
    (one) => one.enable !== false && !one.builtIn && (one.expr || one.target?.expr),
  );
  return Promise.all(
    wanted.map(async (one) => {
      const target = { expr: one.expr ?? one.target.expr, interval: one.step };
      const { step, names } = stepOf({}, target, range, 1600);
      const list = await results(variables.query(target.expr, names), target, range, step);
      const times = new Set();
      for (const series of list) {
        let last = -Infinity;
        for (const [at, text] of samplesOf(series)) {
          const when = one.useValueForTime ? Math.floor(number(text)) : at * 1000;
          // A constant value is one region; only its start is drawn.
          if (one.useValueForTime || (number(text) > 0 && at - last > step)) {
            times.add(when);
          }
          last = number(text) > 0 ? at : last;
        }
      }
      const inside = (at) => at >= range.from.valueOf() && at <= range.to.valueOf();
      return { name: one.name, color: one.iconColor, times: [...times].filter(inside) };
    }),
  );
}
