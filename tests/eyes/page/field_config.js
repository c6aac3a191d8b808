// The properties that fieldConfig can set, and their defaults. Grafana's panel
// plugins register them; no package has them.
import {
  FieldType,
  Registry,
  applyFieldOverrides,
  cacheFieldDisplayNames,
  dataLinksOverrideProcessor,
  displayNameOverrideProcessor,
  identityOverrideProcessor,
  numberOverrideProcessor,
  standardTransformers,
  standardTransformersRegistry,
  transformDataFrame,
} from "@grafana/data";
import { lastValueFrom } from "rxjs";

standardTransformersRegistry.setInit(() =>
  Object.values(standardTransformers)
    .filter((one, index, all) => all.findIndex(({ id }) => id === one.id) === index)
    .map((one) => ({ ...one, transformation: () => one })),
);

// JSON has no -Infinity, which is where the first step begins.
function thresholds(value) {
  return value && { ...value, steps: value.steps.map((step) => ({ ...step, value: step.value ?? -Infinity })) };
}

const STANDARD = {
  unit: identityOverrideProcessor,
  min: numberOverrideProcessor,
  max: numberOverrideProcessor,
  decimals: numberOverrideProcessor,
  displayName: displayNameOverrideProcessor,
  noValue: identityOverrideProcessor,
  color: identityOverrideProcessor,
  thresholds,
  mappings: identityOverrideProcessor,
  links: dataLinksOverrideProcessor,
  filterable: identityOverrideProcessor,
  fieldMinMax: identityOverrideProcessor,
};

const STEPS = { mode: "absolute", steps: [{ value: null, color: "green" }, { value: 80, color: "red" }] };

const LINES = {
  drawStyle: "line",
  lineInterpolation: "linear",
  lineWidth: 1,
  fillOpacity: 0,
  gradientMode: "none",
  spanNulls: false,
  showPoints: "auto",
  pointSize: 5,
  stacking: { mode: "none", group: "A" },
  axisPlacement: "auto",
  axisColorMode: "text",
  axisBorderShow: false,
  scaleDistribution: { type: "linear" },
  axisCenteredZero: false,
  thresholdsStyle: { mode: "off" },
  barAlignment: 0,
  barWidthFactor: 0.6,
};

const CUSTOM = {
  timeseries: LINES,
  table: { align: "auto", cellOptions: { type: "auto" } },
  "state-timeline": { fillOpacity: 70, lineWidth: 0, spanNulls: false },
};

const byHue = { mode: "palette-classic" };
const byLimit = { mode: "thresholds" };
const COLORS = { timeseries: byHue, "state-timeline": byLimit };

function registryFor(source) {
  const custom = new Set(Object.keys(source.defaults.custom));
  for (const rule of source.overrides) {
    for (const { id } of rule.properties) {
      if (id.startsWith("custom.")) {
        custom.add(id.slice("custom.".length));
      }
    }
  }
  // Grafana does not give the time axis the label of the other axis.
  const item = (id, path, isCustom, process) => ({
    id, name: id, path, isCustom, process, settings: {},
    shouldApply: ({ type }) => path !== "axisLabel" || (type !== FieldType.time && type !== FieldType.string),
  });
  return new Registry(() => [
    ...Object.entries(STANDARD).map(([id, process]) => item(id, id, false, process)),
    ...[...custom].map((path) => item(`custom.${path}`, path, true, identityOverrideProcessor)),
  ]);
}

export function sourceOf(panel) {
  const { defaults = {}, overrides = [] } = panel.fieldConfig ?? {};
  const custom = { ...CUSTOM[panel.type], ...defaults.custom };
  return {
    defaults: { color: COLORS[panel.type] ?? byLimit, thresholds: STEPS, ...defaults, custom },
    overrides,
  };
}

// The frames of a panel: transformed, each field with its unit, color, thresholds
// and name.
export async function dressed(panel, frames, theme, variables) {
  const interpolate = (text) => variables.text(text);
  const known = (panel.transformations ?? []).filter((one) => !one.disabled);
  for (const { id } of known) {
    if (!standardTransformersRegistry.getIfExists(id)) {
      throw new Error(`transformation ${id} is not in @grafana/data`);
    }
  }
  const transformed = known.length
    ? await lastValueFrom(transformDataFrame(known, frames, { interpolate }))
    : frames;
  const source = sourceOf(panel);
  const fields = applyFieldOverrides({
    data: transformed,
    fieldConfig: source,
    fieldConfigRegistry: registryFor(source),
    replaceVariables: interpolate,
    theme,
    timeZone: "utc",
  });
  for (const field of fields.flatMap((frame) => frame.fields)) {
    // The name of "hidden" before Grafana 12.
    if (field.config.custom?.hidden) {
      field.config.custom.hideFrom = { viz: true };
    }
  }
  cacheFieldDisplayNames(fields);
  return fields;
}
