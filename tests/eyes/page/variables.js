// A dashboard's variables: their values from the label API and their places in
// queries and texts. Supports what these dashboards use and rejects the rest.

const ALL = "$__all";
const LABEL_VALUES = /^label_values\(\s*(?:(.+)\s*,\s*)?([A-Za-z_]\w*)\s*\)$/s;

// Grafana's prometheusSpecialRegexEscape and prometheusRegularEscape.
const escapeRegex = (text) =>
  text.replace(/\\/g, "\\\\\\\\").replace(/[$^*{}[\]'+?.()|]/g, "\\\\$&");
const escapePlain = (text) => text.replace(/\\/g, "\\\\").replace(/'/g, "\\\\'");

// The value of a variable in PromQL.
function inQuery(variable) {
  if (variable.all && variable.allValue) {
    return variable.allValue;
  }
  if (!variable.multi && !variable.includeAll) {
    return escapePlain(String(variable.values[0] ?? ""));
  }
  const values = variable.values.map(escapeRegex);
  return values.length === 1 ? values[0] : `(${values.join("|")})`;
}

function inText(variable) {
  return variable.all ? "All" : variable.values.join(" + ");
}

export class Variables {
  constructor(fixed) {
    this.fixed = fixed; // __from, __to, __range ...: the same everywhere
    this.list = [];
  }

  find(name) {
    return this.list.find((variable) => variable.name === name);
  }

  replace(text, write, more) {
    const pattern = /\$(\w+)|\[\[(\w+)\]\]|\$\{(\w+)(?:\.[^:}]+)?(?::[^}]+)?\}/g;
    return String(text ?? "").replace(pattern, (whole, plain, old, braced) => {
      const name = plain ?? old ?? braced;
      const value = { ...this.fixed, ...more }[name];
      const variable = this.find(name);
      return value !== undefined ? String(value) : variable ? write(variable) : whole;
    });
  }

  query(text, more) {
    return this.replace(text, inQuery, more);
  }

  text(text, more) {
    return this.replace(text, inText, more);
  }
}

async function optionsOf(model, variables, labelValues) {
  if (model.type === "datasource") {
    return ["Prometheus"];
  }
  if (model.type === "custom") {
    return model.query.split(",").map((text) => text.trim());
  }
  if (model.type === "textbox" || model.type === "constant") {
    return [model.current?.value ?? model.query ?? ""].flat();
  }
  if (model.type !== "query") {
    throw new Error(`variable ${model.name}: type ${model.type} is not drawn here`);
  }
  const text = typeof model.query === "object" ? model.query.query : model.query;
  const found = LABEL_VALUES.exec(text.trim());
  if (!found) {
    throw new Error(`variable ${model.name}: "${text}" is no label_values()`);
  }
  const values = await labelValues(found[2], found[1] && variables.query(found[1].trim()));
  const regex = model.regex && new RegExp(model.regex.replace(/^\/|\/$/g, ""));
  const kept = regex ? values.filter((value) => regex.test(value)) : values;
  return model.sort ? kept.sort() : kept;
}

// labelValues(label, selector): the answer of the label API.
export async function loadVariables(dashboard, fixed, labelValues) {
  const variables = new Variables(fixed);
  for (const model of dashboard.templating?.list ?? []) {
    const options = await optionsOf(model, variables, labelValues);
    const wanted = [model.current?.value ?? []].flat();
    const chosen = wanted.filter((value) => options.includes(value));
    const all = Boolean(model.includeAll) && (wanted.includes(ALL) || !chosen.length);
    const values = all ? options : chosen.length ? chosen : options.slice(0, 1);
    variables.list.push({
      name: model.name,
      type: model.type,
      label: model.label || model.name,
      hidden: model.hide === 2,
      unlabelled: model.hide === 1,
      multi: Boolean(model.multi),
      includeAll: Boolean(model.includeAll),
      allValue: model.allValue,
      empty: model.type === "query" && !options.length,
      all,
      values,
    });
  }
  return variables;
}
