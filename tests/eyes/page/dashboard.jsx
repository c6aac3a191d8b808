// A dashboard as Grafana lays it out: title, variables, rows, panels.
import { PanelChrome, Icon, useTheme2 } from "@grafana/ui";

import { Component } from "react";

import { NoData, PANELS, isEmpty } from "./panels.jsx";

const CELL = 30;
const GAP = 8;
const MARGIN = 16;

function boxOf({ x, y, w, h }, width) {
  const column = (width - 2 * MARGIN + GAP) / 24;
  return {
    left: Math.round(x * column),
    top: y * (CELL + GAP),
    width: Math.round(w * column - GAP),
    height: h * (CELL + GAP) - GAP,
  };
}

// Width of the content of a panel in PanelChrome.
export function widthOf(panel, width) {
  return boxOf(panel.gridPos, width).width - 18;
}

// An error in a component affects only its own panel.
class Guard extends Component {
  state = {};
  static getDerivedStateFromError(error) {
    return { error };
  }
  render() {
    const { error } = this.state;
    return error ? <div className="panel-error" data-crash>{String(error)}</div> : this.props.children;
  }
}

function Content({ drawn, width, height, ...shared }) {
  const { panel, frames, error } = drawn;
  const Panel = PANELS[panel.type];
  if (error || !Panel) {
    return <div className="panel-error">{error || panel.type}</div>;
  }
  const empties = ["stat", "bargauge", "text", "logs"].includes(panel.type);
  if (!empties && isEmpty(frames)) {
    return <NoData width={width} height={height} />;
  }
  return <Panel {...shared} panel={panel} frames={frames} width={width} height={height} />;
}

function Placed({ drawn, width, ...shared }) {
  const { panel } = drawn;
  const box = boxOf(panel.gridPos, width);
  const title = shared.variables.text(panel.title);
  return (
    <div className="placed" data-panel={panel.id} style={box}>
      <PanelChrome
        width={box.width}
        height={box.height}
        title={title}
        description={panel.description}
        displayMode={panel.transparent ? "transparent" : "default"}
        hoverHeader={!title}
      >
        {(wide, high) => <Guard><Content {...shared} drawn={drawn} width={wide} height={high} /></Guard>}
      </PanelChrome>
    </div>
  );
}

function Row({ panel, width, variables }) {
  return (
    <div className="row-title" data-panel={panel.id} style={boxOf(panel.gridPos, width)}>
      <Icon name={panel.collapsed ? "angle-right" : "angle-down"} />
      <span>{variables.text(panel.title)}</span>
      {panel.collapsed && <em>({panel.panels.length} {panel.panels.length === 1 ? "panel" : "panels"})</em>}
    </div>
  );
}

function VariablesBar({ variables }) {
  return (
    <div className="variables">
      {variables.list
        .filter((variable) => !variable.hidden)
        .map((variable) => (
          <div className="variable" key={variable.name}>
            {!variable.unlabelled && <label>{variable.label}</label>}
            <span className="value">
              {variables.text(`$${variable.name}`)}
              {variable.type !== "textbox" && <Icon name="angle-down" />}
            </span>
          </div>
        ))}
    </div>
  );
}

function rangeText(range) {
  const found = /^now-(\d+)([mhd])$/.exec(range.raw.from);
  const unit = { m: "minutes", h: "hours", d: "days" };
  return found && range.raw.to === "now" ? `Last ${found[1]} ${unit[found[2]]}` : `${range.raw.from} to ${range.raw.to}`;
}

function Header({ dashboard, range, variables }) {
  return (
    <header>
      <div className="crumbs">
        <Icon name="apps" size="lg" />
        <h1>{dashboard.title}</h1>
        {(dashboard.tags ?? []).map((tag) => (
          <span className="tag" key={tag}>{tag}</span>
        ))}
        <span className="spring" />
        <span className="button"><Icon name="clock-nine" /> {rangeText(range)} <b>UTC</b></span>
        <span className="button"><Icon name="sync" /> {dashboard.refresh || ""}</span>
      </div>
      <div className="bar">
        <VariablesBar variables={variables} />
        <span className="spring" />
        {(dashboard.links ?? []).map((link) => (
          <span className="button" key={link.title}><Icon name={link.type === "dashboards" ? "bars" : "external-link-alt"} /> {link.title}</span>
        ))}
      </div>
      {(dashboard.annotations?.list ?? []).some((one) => !one.builtIn && !one.hide) && (
        <div className="bar annotations">
          {dashboard.annotations.list.filter((one) => !one.builtIn && !one.hide).map((one) => (
            <span className="switch" key={one.name} data-on={one.enable !== false}>{one.name}<i /></span>
          ))}
        </div>
      )}
    </header>
  );
}

// drawn: [{panel, frames, error}], including rows.
export function Dashboard({ dashboard, drawn, width, ...shared }) {
  const theme = useTheme2();
  const bottom = Math.max(0, ...drawn.map(({ panel }) => boxOf(panel.gridPos, width)).map((box) => box.top + box.height));
  return (
    <main style={{ width }}>
      <Header dashboard={dashboard} range={shared.range} variables={shared.variables} />
      <div className="grid" style={{ height: bottom }}>
        {drawn.map((one) =>
          one.panel.type === "row" ? (
            <Row key={one.panel.id} panel={one.panel} width={width} variables={shared.variables} />
          ) : (
            <Placed key={one.panel.id} drawn={one} width={width} theme={theme} {...shared} />
          ),
        )}
      </div>
    </main>
  );
}
