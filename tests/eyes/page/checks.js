// Visible faults of a panel: an error, no data, text that is cut or outside its
// box. Reads the page as it is drawn.
import { PANELS, isEmpty } from "./panels.jsx";
import { plots } from "./plots.js";

const SLACK = 1.5; // pixels that rounding may cost
const LETTERS = 11; // pixels that a line of an axis needs
const OPTIONAL = /kube-state-metrics/;
const WITHOUT_QUERY = ["text", "row", "logs"];

const quoted = (text) => `"${text.length > 60 ? text.slice(0, 57) + "..." : text}"`;

function textBoxes(node) {
  const range = document.createRange();
  range.selectNodeContents(node);
  return [...range.getClientRects()].filter((box) => box.width > 0 && box.height > 0);
}

// How an element treats text outside its box: shows, hides or scrolls.
function edges(element) {
  const style = getComputedStyle(element);
  return { x: style.overflowX, y: style.overflowY };
}

function cutBy(box, element) {
  const frame = element.getBoundingClientRect();
  const { x, y } = edges(element);
  const wide = box.left < frame.left - SLACK || box.right > frame.right + SLACK;
  // The line height exceeds the letters.
  const air = SLACK + parseFloat(getComputedStyle(element).fontSize) / 3;
  const high = box.top < frame.top - air || box.bottom > frame.bottom + air;
  return { x: wide && x !== "visible", y: high && y !== "visible", scrolls: y === "auto" || y === "scroll" };
}

// In a list that scrolls vertically, a line out of view is not a fault; a cut one is.
function textFault(node, panel) {
  const text = node.textContent.trim();
  for (const box of textBoxes(node)) {
    for (let up = node.parentElement; up && panel.contains(up); up = up.parentElement) {
      const cut = cutBy(box, up);
      if (cut.x || (up.scrollWidth > up.clientWidth && getComputedStyle(up).textOverflow === "ellipsis")) {
        return `${quoted(text)} is cut`;
      }
      if (cut.y) {
        if (cut.scrolls) {
          return undefined;
        }
        return `${quoted(text)} is cut in height`;
      }
    }
    const frame = panel.getBoundingClientRect();
    if (box.left < frame.left || box.right > frame.right || box.bottom > frame.bottom || box.top < frame.top - SLACK) {
      return `${quoted(text)} lies outside the panel`;
    }
  }
  return undefined;
}

// Text for screen readers, invisible on the page.
function forReaders(element) {
  for (let up = element; up; up = up.parentElement) {
    if (up.clientWidth <= 1 && up.clientHeight <= 1 && edges(up).x === "hidden") {
      return true;
    }
  }
  return false;
}

function textFaults(element) {
  const faults = new Set();
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const holder = node.parentElement;
    if (!node.textContent.trim() || holder.closest("style, svg") || forReaders(holder) || getComputedStyle(holder).visibility === "hidden") {
      continue;
    }
    const fault = textFault(node, element);
    if (fault) {
      faults.add(fault);
    }
  }
  return [...faults];
}

// Labels are on a canvas, so their text comes from the axes.
function axisFaults(element) {
  const faults = [];
  for (const plot of plots) {
    if (!element.contains(plot.root)) {
      continue;
    }
    const { ctx } = plot;
    for (const axis of plot.axes) {
      if (!axis.show || !axis._values) {
        continue;
      }
      ctx.font = axis.font[0];
      for (const value of axis._values) {
        const wide = Math.max(...String(value ?? "").split("\n").map((line) => ctx.measureText(line).width)) / devicePixelRatio;
        if (axis.side % 2 === 1 && wide > axis._size + SLACK) {
          faults.push(`axis label ${quoted(String(value))} is cut`);
        }
      }
      if (axis.side % 2 === 1 && axis._values.length > 1) {
        const room = plot.bbox.height / devicePixelRatio / axis._values.length;
        if (room < LETTERS) {
          faults.push(`${axis._values.length} axis labels overlap`);
        }
      }
    }
    if (plot.bbox.height / devicePixelRatio < 40) {
      faults.push("the plot is less than 40 px high");
    }
  }
  return faults;
}

// A legend with too many lines is cut; a table may scroll.
function legendFaults(element) {
  const items = [...element.querySelectorAll('[data-testid^="data-testid VizLegend series"]')];
  return items.some((item) => textScrolledAway(item, element)) ? ["has a legend with more lines than its place"] : [];
}

function textScrolledAway(item, panel) {
  const box = item.getBoundingClientRect();
  for (let up = item.parentElement; up && panel.contains(up); up = up.parentElement) {
    if (edges(up).y !== "visible" && box.bottom > up.getBoundingClientRect().bottom + SLACK) {
      return true;
    }
  }
  return false;
}

// A horizontal scroll bar means hidden columns.
function scrollFaults(element) {
  return [...element.querySelectorAll("*")]
    .filter((one) => one.clientWidth > 0 && one.scrollWidth > one.clientWidth + SLACK && /auto|scroll/.test(edges(one).x))
    .slice(0, 1)
    .map((one) => `is ${one.scrollWidth - one.clientWidth} px wider than its box`);
}

function few(faults) {
  return faults.length > 3 ? [...faults.slice(0, 3), `and ${faults.length - 3} more`] : faults;
}

function faultsOf({ panel, frames, error }) {
  const element = document.querySelector(`[data-panel="${panel.id}"]`);
  if (error) {
    return [`shows an error: ${error}`];
  }
  if (!PANELS[panel.type] && panel.type !== "row") {
    return [`is of type ${panel.type}, which is not drawn here`];
  }
  const crashed = element.querySelector("[data-crash]");
  if (crashed) {
    return [`cannot be drawn: ${crashed.textContent}`];
  }
  const optional = OPTIONAL.test(`${panel.title} ${panel.description}`);
  if (!WITHOUT_QUERY.includes(panel.type) && isEmpty(frames)) {
    return optional ? [] : ["has no data"];
  }
  const faults = [...textFaults(element), ...axisFaults(element), ...legendFaults(element), ...scrollFaults(element)];
  return few([...new Set(faults)]);
}

// One sentence per panel with a fault.
export function faults(drawn, variables) {
  const found = variables.list
    .filter((variable) => variable.empty)
    .map((variable) => `Variable ${variable.name} has no value.`);
  for (const one of drawn) {
    const wrong = faultsOf(one);
    if (wrong.length) {
      const title = variables.text(one.panel.title) || "untitled";
      found.push(`Panel ${one.panel.id} (${title}) ${wrong.join("; ")}.`);
    }
  }
  const header = document.querySelector("header");
  return [...found, ...textFaults(header).map((fault) => `Header: ${fault}.`)];
}
