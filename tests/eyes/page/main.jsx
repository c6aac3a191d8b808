// Draws the dashboard that the URL names, and sets window.drawn at the end.
import "uplot/dist/uPlot.min.css";
import "./page.css";

import { EventBusSrv, ThemeContext, createTheme, setTimeZoneResolver } from "@grafana/data";
import { GlobalStyles, PanelContextProvider } from "@grafana/ui";
import { createRoot } from "react-dom/client";

import { faults } from "./checks.js";
import { Dashboard, widthOf } from "./dashboard.jsx";
import { dressed } from "./field_config.js";
import { annotationsOf, ask, fixedNames, framesOf, rangeOf } from "./prometheus.js";
import { loadVariables } from "./variables.js";

const QUIET_MS = 700;
const parameters = new URLSearchParams(location.search);
const WIDTH = Number(parameters.get("width"));

setTimeZoneResolver(() => "utc");

// In the file, panels of an open row follow it; a closed row contains its own, at
// the places that they have once it is open.
function panelsOf(dashboard) {
  const saved = dashboard.panels ?? [];
  if (parameters.get("rows") !== "open") {
    return saved;
  }
  let lower = 0;
  const moved = (panel) => ({ ...panel, gridPos: { ...panel.gridPos, y: panel.gridPos.y + lower } });
  return saved.flatMap((panel) => {
    const inside = panel.panels ?? [];
    const placed = [moved({ ...panel, collapsed: false }), ...inside.map(moved)];
    const ends = inside.map(({ gridPos }) => gridPos.y + gridPos.h - panel.gridPos.y - 1);
    lower += Math.max(0, ...ends);
    return placed;
  });
}

async function drawnPanel(panel, range, variables, theme) {
  if (["row", "text", "logs"].includes(panel.type)) {
    return { panel, frames: [] };
  }
  try {
    const frames = await framesOf(panel, range, variables, widthOf(panel, WIDTH));
    return { panel, frames: await dressed(panel, frames, theme, variables) };
  } catch (error) {
    return { panel, frames: [], error: error.message };
  }
}

// Resolves when the page, with fonts and icons, has not changed for a while.
function settled() {
  return new Promise((resolve) => {
    let timer;
    const again = () => {
      clearTimeout(timer);
      timer = setTimeout(resolve, QUIET_MS);
    };
    new MutationObserver(again).observe(document.body, {
      subtree: true, childList: true, attributes: true, characterData: true,
    });
    again();
  });
}

// Plots measure text when drawn, so load the fonts before.
async function fontsLoaded() {
  await new Promise((done) => setTimeout(done, 50));
  const wanted = ["400 16px Inter", "500 16px Inter", "italic 16px Inter", "16px 'Roboto Mono'"];
  const loaded = await Promise.all(wanted.map((font) => document.fonts.load(font)));
  if (loaded.some((faces) => !faces.length)) {
    throw new Error("a font of Grafana is missing");
  }
}

async function draw() {
  const theme = createTheme({ colors: { mode: parameters.get("theme") ?? "dark" } });
  document.body.style.background = theme.colors.background.canvas;
  for (const [name, value] of Object.entries({
    text: theme.colors.text.primary, faint: theme.colors.text.secondary,
    box: theme.components.input.background, border: theme.components.input.borderColor,
    label: theme.colors.background.secondary, weak: theme.colors.border.weak,
    primary: theme.colors.primary.main, error: theme.colors.error.text,
    bar: theme.colors.background.primary,
  })) {
    document.body.style.setProperty(`--${name}`, value);
  }
  const root = createRoot(document.getElementById("root"));
  const framed = (content) => root.render(
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      {content}
    </ThemeContext.Provider>,
  );
  framed(null);
  await fontsLoaded();
  const dashboard = await (await fetch("dashboard.json")).json();
  const range = rangeOf(dashboard.time);
  const start = range.from.valueOf() / 1000;
  const end = range.to.valueOf() / 1000;
  const labelValues = (label, selector) => ask(`label/${label}/values`, { "match[]": selector, start, end });
  const variables = await loadVariables(dashboard, fixedNames(range), labelValues);
  const annotations = await annotationsOf(dashboard, range, variables);
  const panels = panelsOf(dashboard);
  const drawn = await Promise.all(panels.map((panel) => drawnPanel(panel, range, variables, theme)));
  const shared = { range, variables, annotations };
  framed(
    <PanelContextProvider value={{ eventBus: new EventBusSrv(), eventsScope: "eyes" }}>
      <Dashboard dashboard={dashboard} drawn={drawn} width={WIDTH} {...shared} />
    </PanelContextProvider>,
  );
  await settled();
  const found = faults(drawn, variables);
  return { faults: found, panels: drawn.length, height: Math.ceil(document.getElementById("root").scrollHeight) };
}

window.settled = settled;
window.drawn = draw().catch((error) => ({ faults: [`It cannot be drawn: ${error.message}.`], panels: 0, height: 200 }));
