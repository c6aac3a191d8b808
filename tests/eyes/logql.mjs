// Reads queries, a JSON list, from standard input, and prints those that are not
// LogQL by the grammar of Loki. The argument is the folder of the packages.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const { parser } = createRequire(`${process.argv[2]}/`)("@grafana/lezer-logql");

function isLogQl(query) {
  let errors = 0;
  parser.parse(query).iterate({ enter: (node) => { errors += node.type.isError; } });
  return !errors;
}

const queries = JSON.parse(readFileSync(0, "utf-8"));
console.log(JSON.stringify(queries.filter((query) => !isLogQl(query))));
