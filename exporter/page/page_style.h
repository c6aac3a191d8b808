// The stylesheet of the pages, part of each document. Used by PutHead only.
// Light or dark by the system's preference. Colors have a contrast of at
// least 4.5:1 and are never the only sign. On narrow screens table rows become
// cards.
#pragma once

#include <string_view>

namespace kem {

inline constexpr std::string_view kPageStyle = R"(
:root { color-scheme: light dark;
  --page: #fbfbfa; --text: #1d2125; --quiet: #5b636b; --line: #dfe2e5;
  --edge: #868e96; --soft: #f0f2f3; --link: #0b57a4; --good: #17693a;
  --bad: #a8172c;
  --warn: #874300; --warn-soft: #fdf4e3; --warn-line: #bf7210; }
@media (prefers-color-scheme: dark) { :root {
  --page: #14171a; --text: #e3e6e8; --quiet: #9aa3ab; --line: #2c3238;
  --edge: #69727b; --soft: #1d2226; --link: #84b9f5; --good: #63c78a;
  --bad: #ff8d94;
  --warn: #f3b557; --warn-soft: #241d11; --warn-line: #b9781c; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; padding: 1rem 1.5rem 3rem; max-width: 100rem;
  background: var(--page); color: var(--text);
  font: .875rem/1.45 system-ui, sans-serif;
  font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
a { color: var(--link); }
a:focus-visible, summary:focus-visible, button:focus-visible,
input:focus-visible, select:focus-visible { outline: 2px solid var(--link);
  outline-offset: 2px; border-radius: .125rem; }
.skip { position: absolute; left: -100rem; }
.skip:focus { left: .5rem; top: .5rem; padding: .25rem .5rem;
  background: var(--page); }
code { font: .8125rem/1.5 ui-monospace, monospace; }
small, .quiet { color: var(--quiet); }
small { font-size: .75rem; }
header { display: flex; flex-wrap: wrap; align-items: baseline;
  gap: .25rem 1.25rem; padding-bottom: .6rem;
  border-bottom: 1px solid var(--line); }
header strong { font-size: 1rem; }
nav { display: flex; gap: 1.25rem; margin-left: auto; }
h1 { margin: 1.5rem 0 .15rem; font-size: 1.375rem; line-height: 1.25;
  font-weight: 600; }
h2 { margin: 1.5rem 0 .4rem; font-size: .875rem; font-weight: 600; }
p { margin: .25rem 0; }
.state { margin-top: .75rem; padding: .5rem .75rem; background: var(--soft);
  border-left: .25rem solid var(--good); border-radius: .25rem; }
.state b { color: var(--good); }
.state.bad { border-color: var(--bad); }
.state.bad b { color: var(--bad); }
.sums b { font-weight: 600; }
.sums .warn { color: var(--warn); }
.empty { margin-top: 1rem; padding: 2.5rem 1rem; text-align: center;
  border: 1px dashed var(--line); border-radius: .25rem; }
.empty ul { padding: 0; list-style: none; }
.empty p:first-child { font-size: 1rem; }
.top { display: grid; gap: .3rem 2.5rem; margin: 0; padding: 0;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 24rem), 1fr));
  list-style: none; }
.top li { display: grid; grid-template-columns: 1fr auto; gap: 0 .75rem; }
.top svg { grid-column: 1 / 3; width: 100%; height: .1875rem;
  margin-top: .1rem; background: var(--soft); fill: var(--quiet); }
.top .warn b { color: var(--warn); }
.top .warn svg { fill: var(--warn-line); }
.bar { display: grid; gap: .5rem .75rem; align-items: end;
  grid-template-columns: repeat(auto-fill, minmax(10.5rem, 1fr));
  margin: 1.25rem 0 .75rem; padding: .6rem .75rem; background: var(--soft);
  border-radius: .25rem; }
.bar label { display: block; font-size: .75rem; color: var(--quiet); }
.bar input, .bar select, .bar button { display: block; width: 100%;
  min-height: 2rem; padding: .2rem .4rem; font: .8125rem system-ui, sans-serif;
  color: var(--text); background: var(--page); border: 1px solid var(--edge);
  border-radius: .25rem; }
.bar ::placeholder { color: var(--quiet); opacity: .8; }
.bar span { display: flex; gap: .75rem; align-items: center; }
.bar button { width: auto; padding: .2rem 1rem; font-weight: 600;
  cursor: pointer; }
.problem { margin-top: 1rem; padding: .5rem .75rem; color: var(--bad);
  border-left: .25rem solid var(--bad); background: var(--soft);
  border-radius: .25rem; }
.links, .pages { display: flex; flex-wrap: wrap; gap: .25rem 1rem;
  margin: .5rem 0 0; }
h1 small { font-size: inherit; font-weight: 400; }
.timeline { display: block; margin-top: .5rem; background: var(--soft);
  border-radius: .25rem; overflow: hidden; fill: var(--text);
  font: .75rem system-ui, sans-serif; }
.timeline line { stroke: var(--line); }
.timeline .lane { stroke: var(--edge); stroke-opacity: .5; }
.timeline .when { fill: var(--quiet); font-size: .6875rem; }
.timeline .span { fill: var(--quiet); }
.timeline use { fill: var(--quiet); stroke: var(--soft); }
.timeline .warn { fill: var(--warn); font-weight: 600; }
.timeline .warn use { fill: var(--warn-line); }
.reasons { display: grid; gap: .75rem 2.5rem; margin: 0; padding: 0;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 30rem), 1fr));
  list-style: none; }
.reasons li { padding-left: .75rem; border-left: .25rem solid var(--line); }
.reasons .warn { border-color: var(--warn-line); }
.reasons h3 { margin: 0; font-size: .875rem; font-weight: 600; }
.reasons .warn h3 { color: var(--warn); }
.reasons h3 small { font-weight: 400; }
.said { white-space: pre-line; }
.commands code { display: block; margin: .1rem 0 .35rem; padding: .35rem .5rem;
  background: var(--soft); border: 1px solid var(--line);
  border-radius: .25rem; user-select: all; }
.filter { display: inline-block; margin: 1.25rem .25rem .5rem 0; }
#w:checked ~ table tr.other { display: none; }
table { width: 100%; table-layout: fixed; border-collapse: collapse; }
th { position: sticky; top: 0; text-align: left; font-weight: 600;
  font-size: .75rem; color: var(--quiet); background: var(--page); }
th, td { padding: .3rem .75rem .3rem 0; vertical-align: top;
  border-bottom: 1px solid var(--line); overflow: hidden; }
th:first-child, td:first-child { padding-left: .75rem; }
.age { width: 5.25rem; } .type { width: 9rem; } .reason { width: 13rem; }
.object { width: 16%; } .count { width: 7rem; } .ns { width: 8.5rem; }
td.age, td.ns { white-space: nowrap; text-overflow: ellipsis; }
td.reason { font-weight: 600; }
td.type, td.object small { color: var(--quiet); }
tr.warn td { background: var(--warn-soft); }
tr.warn td:first-child { box-shadow: inset .25rem 0 var(--warn-line); }
tr.warn td.type, tr.warn td.reason { color: var(--warn); font-weight: 600; }
th.count, td.count { text-align: right; padding-right: 1.25rem; }
td.count small { display: block; }
td.type small { color: inherit; font-weight: 400; }
td.object small { font-size: inherit; }
summary { display: grid; grid-template-columns: 1rem 1fr; cursor: pointer;
  list-style: none; }
summary::-webkit-details-marker { display: none; }
summary::before { content: "\25B8" / ""; color: var(--quiet); }
[open] > summary::before { content: "\25BE" / ""; }
summary span { white-space: pre-line; overflow: hidden; }
details:not([open]) > summary span { display: -webkit-box;
  -webkit-box-orient: vertical; -webkit-line-clamp: 2; }
details > div { padding: .35rem 0 .25rem 1rem; }
details code { display: block; margin: .1rem 0 .35rem; padding: .35rem .5rem;
  background: var(--page); border: 1px solid var(--line);
  border-radius: .25rem; user-select: all; }
.note, footer { color: var(--quiet); font-size: .8125rem; }
.note, footer { margin-top: .75rem; max-width: 60rem; }
.filter + label { margin-right: 1rem; }
@media (max-width: 52rem) {
  body { padding: .75rem .75rem 2rem; }
  nav { margin-left: 0; }
  .bar { grid-template-columns: 1fr 1fr; }
  .filter ~ .quiet { display: block; margin-bottom: .5rem; }
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden;
    clip-path: inset(50%); }
  table, tbody, td { display: block; }
  table { border-top: 1px solid var(--line); }
  tr { display: grid; gap: .1rem .6rem; padding: .5rem .25rem .5rem .75rem;
    grid-template-columns: auto 1fr auto;
    grid-template-areas: "type reason age" "object object count"
      "message message message" "ns ns ns";
    border-bottom: 1px solid var(--line); }
  td[class] { width: auto; padding: 0; border: 0; }
  tr.warn { background: var(--warn-soft);
    box-shadow: inset .25rem 0 var(--warn-line); }
  tr.warn td { background: none; }
  tr.warn td:first-child { box-shadow: none; }
  td.age { grid-area: age; color: var(--quiet); text-align: right; }
  td.type { grid-area: type; } td.reason { grid-area: reason; }
  td.object { grid-area: object; }
  td.count { grid-area: count; }
  td.message { grid-area: message; } td.ns { grid-area: ns; }
  td.count::before { content: "\D7 "; }
  td.ns { color: var(--quiet); font-size: .75rem; }
  td.ns::before { content: "Event namespace: "; }
}
)";

}  // namespace kem
