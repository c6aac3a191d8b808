#!/usr/bin/python3
"""Every check fails once: this test plants violations in a copy of the tree.

A check that cannot fail is a defect. Each line of PLANTS must make its check
report a new problem with the given words.
"""

import importlib
import json
import os
import shutil
import sys
import tempfile

import dashboard_plants
import metrics
import prose
import prose_plants
import tidy
import tree

HEADER = "// What it is.\n// Who uses it.\n// What it is not.\n#pragma once\n"
RULES = "alerts/rules/exporter.yaml"


def rule(expr="x > 1", severity="warning", name="Planted", more="",
         summary="It is.", description="{{ $labels.cluster }}"):
    """An alert to append to a rule file."""
    return f"""
  - alert: {name}
    expr: '{expr}'{more}
    labels: {{severity: {severity}}}
    annotations:
      summary: "{summary}"
      description: "{description}"
      runbook_url: x
      dashboard_url: x
"""


def linked(page, expr=None):
    """An alert about Events with a link."""
    head = ('{{ with printf "kube_event_metrics_external_url_info{cluster=%q}" '
            '$labels.cluster | query }}{{ . | first | label "url" }}')
    tail = ('since={{ with query "time() - 60" }}{{ . | first | value '
            '| printf "%.0f" }}{{ end }}{{ end }}')
    return rule(expr or LAST_SEEN + '{scope="cluster"}) < 1',
                description="{{ $labels.cluster }} {{ $labels.object_name }}"
                ) + f"      event_url: '{head}{page}{tail}'\n"


LAST_SEEN = "time() - max by (cluster) (kube_event_last_seen_timestamp_seconds"
ALERTS = [("alerts", path, text, words) for path, text, words in [
    ("alerts/prometheus-rule.yaml", "# More\n", "run alerts/generate"),
    (RULES, rule(), "Planted.md: is out of date"),
    (RULES, rule(), "the alert has no runbook"),
    ("alerts/runbooks/Planted.md", "# Planted\n", "no such alert"),
    ("alerts/runbooks/KubeEventNodeNotReady.md", "## More\n", "sections"),
    ("alerts/runbooks/KubeEventNodeNotReady.md",
     "    kubectl get events --field-selector x\n", "name the namespace"),
    (RULES, rule(), "runbook_url is"),
    ("dashboards/json/kube-event-nodes.json", "x", "leads to no dashboard"),
    (RULES, rule(name="KubeEventNodeNotReady"), "another alert"),
    (RULES, rule(severity="info"), "critical or warning"),
    (RULES, rule(severity="warning, job: x"), "only label"),
    (RULES, rule(severity="'{{ $value }}'"), "$value"),
    (RULES, rule(summary="It {{ $value }}."), "without a template"),
    (RULES, rule(description="It is."), "name the cluster"),
    (RULES, rule("max by (cluster, object_name) (x) > 1"), "name the object"),
    (RULES, rule().replace("summary", "title"), "annotations are"),
    (RULES, rule(LAST_SEEN + '{scope="cluster"}) < 1'), "event_url is missing"),
    (RULES, linked("/?name={{ $labels.object_name | urlquery }}&", "up < 1"),
     "that is not about Events"),
    (RULES, linked("?"), "is not the URL of the exporter, a page and since"),
    (RULES, linked("/?name={{ $labels.object_name }}&"), "without urlquery"),
    (RULES, linked("/?kind=Node&"), "does not lead to the object"),
    (RULES, rule("max by (cluster) (up)"), "compares with nothing"),
    (RULES, rule("absent(up)"), "needs a for"),
    (RULES, rule("kube_event_planted > 1"), "no such metric"),
    (RULES, rule("max by (job) (up) > 1"), "omits the cluster"),
    (RULES, rule("max by (cluster, name) (up) > 1"), "no such label: name"),
    (RULES, rule(LAST_SEEN + '{name="x"}) < 1'), "no such label: name"),
    (RULES, rule(LAST_SEEN + '{reason=~"NodeReady|NodeRaedy"}) < 1'),
     "no reason NodeRaedy"),
    (RULES, rule(LAST_SEEN + '{kind="Nod"}) < 1'), "no kind Nod"),
    (RULES, rule(LAST_SEEN + '{scope=~"cluster",kind="Node"}) < 1'),
     'selects neither scope="cluster" nor'),
    (RULES, rule(LAST_SEEN + '{scope="cluster",kind="Node"}) < 1'),
     'without api_group=""'),
    (RULES, rule(LAST_SEEN + '{scope="cluster",reason="TaskHung"}) < 1'),
     "KubeEventClusterScopedWarningBurst selects TaskHung of Node, which has"),
    ("exporter/events/reason_catalogue.yaml",
     "- {source: x, groups: [{rows: [{reasons: [Planted], kinds: [Node], "
     "component: x, types: [Warning], severity: info, meaning: x, "
     "action: x}]}]}\n", "selects Planted of Node, an info"),
    (RULES, "  - {record: planted, expr: kube_event_planted > 1}\n",
     "planted: no such metric: kube_event_planted"),
    (RULES, "  - alert: [\n", "ParserError"),
    ("alerts/not-alerted.yaml", "- {why: x, reasons: [Planted]}\n",
     "excuses Planted"),
    ("alerts/not-alerted.yaml", "- {why: x, reasons: [Rebooted]}\n",
     "excuses Rebooted, which is covered"),
    ("alerts/not-alerted.yaml", "- {reasons: [Rebooted]}\n", "lacks why"),
    ("exporter/events/reason_catalogue.yaml",
     "- {source: x, groups: [{rows: [{reasons: [Planted], kinds: [Node], "
     "component: x, types: [Normal], severity: warning, meaning: x, "
     "action: x}]}]}\n", "no alert names Planted"),
]]
DEPLOY_README = [("deploy_readme", path, text, words) for path, text, words in [
    ("deploy/README.md", "\n    # a.yaml\n    a: [\n", "while parsing"),
    ("deploy/README.md", "\n    # values.yaml\n    monitor: {planted: 1}\n",
     "monitor.planted is not a value"),
    ("deploy/README.md", "`monitor.planted`", "monitor.planted is not a value"),
    ("deploy/README.md", "deploy/planted", "there is no deploy/planted"),
    ("deploy/README.md", "`--metrics.planted`", "no option"),
    ("deploy/README.md", "kube_event_planted_total", "no metric"),
    ("deploy/kustomize/overlays/planted/kustomization.yaml", "x",
     "the overlay planted"),
]]
DOCUMENTS = [("documents", path, text, words) for path, text, words in [
    ("README.md", "[x](exporter/planted.md)", "leads to no file"),
    ("README.md", "[x](exporter/METRICS.md#planted)", "leads to no heading"),
    ("exporter/ARCHITECTURE.md", "| Where? | `planted/none.h` |\n",
     "there is no exporter/planted/none.h"),
    ("exporter/CONFIGURATION.md", "`--planted`", "no option --planted"),
    ("exporter/config/option_table.cc", '    {"planted", kWatch, kText,\n',
     "--planted is not described"),
    ("exporter/config/sink_entries.cc",
     '    {"planted", "log", false, TakeName},\n',
     "the key planted of a sink is not described"),
    ("exporter/CONFIGURATION.md", "\n    # web.yaml\n    a: [\n",
     "while parsing"),
    ("exporter/CONFIGURATION.md",
     "\n    # config.yaml\n    log: {planted: 1}\n", "no option log.planted"),
]]
# check, file in the copy, text to append, words of the report
PLANTS = [
    *ALERTS, *DEPLOY_README, *DOCUMENTS,
    ("layering", "exporter/base/error.cc",
     '#include "series/series_table.h"\n', "a higher layer"),
    ("layering", "exporter/base/error.cc", '#include "app/none.h"\n',
     "not a path"),
    ("layering", "exporter/base/error.h", "#include <nlohmann/json.hpp>\n",
     "a header must not include"),
    ("layering", "exporter/events/planted.cc", "#include <httplib.h>\n",
     "<httplib.h> belongs elsewhere"),
    ("layering", "exporter/reflector/planted.cc", "#include <spdlog/spdlog.h>\n",
     "<spdlog/spdlog.h> belongs elsewhere"),
    ("layering", "exporter/base/CMakeLists.txt",
     "target_link_libraries(kem_base kem_reflector)\n",
     "must not link kem_reflector"),
    ("calls", "exporter/base/file.cc", 'auto* home = std::getenv("HOME");\n',
     "base/environment.cc"),
    ("unified", "exporter/planted.cc", "using std::vector;\n", "remove it"),
    ("unified", "exporter/planted.cc", '#include "base/clock.cc"\n',
     "include its header"),
    ("calls", "exporter/planted.cc", "auto* text = strerror(errno);\n",
     "not thread-safe"),
    ("calls", "tests/unit/base/planted_test.cc",
     "std::this_thread::sleep_for(1s);\n", "FakeClock"),
    ("calls", "exporter/planted.cc", "double x = std::stod(text);\n",
     "locale"),
    ("built", "tests/unit/base/planted_test.cc", "// A test.\n",
     "no CMakeLists.txt names it"),
    ("built", "tests/fuzz/planted_fuzz.cc", "// A fuzzer.\n",
     "no CMakeLists.txt names it"),
    ("built", "exporter/base/planted.cc", "// A source.\n",
     "no CMakeLists.txt names it"),
    ("metrics", "exporter/series/planted.cc",
     'const char* name = "kube_event_planted_total";\n', "is not described"),
    ("metrics", "exporter/metrics/own_metrics.cc",
     '    {{"kube_event_metrics_planted_total", "counter",\n',
     "no test compares the value of"),
    ("metrics", "exporter/METRICS.md", "| `kube_event_planted_total` |\n",
     "no such metric"),
    ("metrics", "README.md", "    rate(kube_event_planted_total[5m])\n",
     "README.md: no such metric"),
    ("reasons", "exporter/events/REASONS.md", "More.\n", "does not match"),
    ("reasons", "exporter/events/REASONS-NAMESPACED.md", "More.\n",
     "does not match"),
    ("reasons", "exporter/events/reason_catalogue.yaml", "- source: new\n",
     "KeyError"),
    ("reasons", "exporter/events/namespaced_reasons.yaml",
     "- {source: x, groups: [{rows: [{reasons: [Planted], kinds: [Pod], "
     "component: x, reference: a/b c.go, types: [Normal], severity: info, "
     "meaning: x, action: x}]}]}\n", "Planted of Pod (x) has no scope"),
    *[("reasons", "exporter/events/reason_catalogue.yaml",
       "- {source: x, groups: [{rows: [{reasons: [Planted], kinds: [Node], "
       f"component: x, {reference}types: [Normal], severity: info, meaning: x, "
       "action: x}]}]}\n", "Planted of Node (x) has no reference")
      for reference in ("", "reference: kubernetes, ",
                        "reference: kubernetes/kubernetes pkg/kubelet, ")],
    ("text", "exporter/base/planted.h", "#pragma once\n",
     "opens with 0 comment lines"),
    ("text", "exporter/base/planted.h", HEADER.replace("#pragma once\n", ""),
     "#pragma once"),
    ("text", "exporter/base/planted.h", HEADER + 200 * "\n", "over 200"),
    ("text", "tests/unit/base/planted_test.cc", 401 * "\n", "over 400"),
    ("text", "exporter/base/error.cc", "// TO" "DO: later\n", "TO" "DO"),
    ("text", "tests/unit/base/planted_test.cc",
     "TEST(ErrorTest, DISAB" "LED_Works) {}\n", "DISAB" "LED_W"),
    ("scripts", "deploy/planted", "#!/bin/bash\nif then\n", "bash:"),
    ("scripts", "tests/planted.py", "def f(:\n", "invalid syntax"),
    ("format", "exporter/base/error.cc", "int  x=1;\n", "clang-format"),
    ("deploy", "deploy/helm/kube-event-metrics/Chart.yaml",
     "appVersion: 9.9.9\n", "version 9.9.9"),
    ("deploy", "deploy/kustomize/base/deployment.yaml",
     "        image: ghcr.io/planted:9.9.9\n", "version 9.9.9"),
    ("deploy", "deploy/helm/kube-event-metrics/values.yaml",
     "# -- It is.\nplanted: 1\n", "run deploy/helm/generate"),
    ("deploy", "deploy/helm/kube-event-metrics/values.yaml",
     "# -- It is.\nplanted: 1\n", "planted must be in both"),
    ("deploy", "deploy/helm/kube-event-metrics/values.yaml",
     "planted: 1\n", "planted has no comment"),
    ("dashboards", "dashboards/json/kube-event-nodes.json", "}", "Extra data"),
    ("dashboards", "dashboards/json/planted.json",
     '{"uid": "kube-event-nodes"}', "is not unique"),
    ("dashboards", "dashboards/json/planted.json", '{"uid": "planted"}',
     "no dashboard makes it"),
    ("dashboards", "dashboards/json/planted.json", '{"uid": "other"}',
     "not named after"),
    ("dashboards", "dashboards/source/board.py", "SCHEMA = 38\n",
     '"schemaVersion": 38'),
    ("dashboards", "tests/lint/dashboards_exclusions.yaml",
     "- {rule: grid, where: [none]}\n", "nothing needs grid"),
    ("dashboards", "tests/lint/dashboards_exclusions.yaml",
     "- {rule: grid, where: [none]}\n", "without a reason"),
]
# Texts that test a metric, and texts that only mention it.
PROOFS = [
    (metrics.compared_by_unit_test, [
        'HasSubstr("\\nplanted_total{a=\\"b\\"}"\n  " 3\\n")',
        '"kube_event_metrics_planted_total 1.5\\n"']),
    (metrics.compared_by_scenario, [
        "play: [{expect: {metrics: ['planted_total{a=\"b\"} >= 2']}}]"]),
    (metrics.compared_by_python, [
        "self.assertEqual(self.sample(exporter, 'planted_total'), 2)",
        "self.until(lambda: self.sample('planted_total') > 2)"]),
]
MENTIONS = [
    (metrics.compared_by_unit_test, [
        "// kube_event_metrics_planted_total 1",
        'HasSubstr("kube_event_metrics_planted_total{")',
        '"# TYPE kube_event_metrics_planted_total counter\\n"',
        '"another_planted_total 1\\n"']),
    (metrics.compared_by_scenario, [
        "about: planted_total >= 1", "# planted_total >= 1\nplay: []",
        "play: [{expect: {metrics: [planted_total absent]}}]",
        "play: [{probe: {has: ['planted_total 1']}}]"]),
    (metrics.compared_by_python, [
        "self.sample(exporter, 'planted_total')",
        "self.assertIn('planted_total', text)",
        "assert 'planted_total' in text",
        "found = [one for one in samples if one.name == 'planted_total']"]),
]
# One source per rule of clang-tidy.
TIDY = [
    ("void wrong_name();\n", "readability-identifier-naming"),
    ("class Thing {\n  int wrong = 0;\n};\n", "readability-identifier-naming"),
    ("void Long() {\n" + 61 * "  ;\n" + "}\n", "readability-function-size"),
    ("int* pointer = 0;\n", "modernize-use-nullptr"),
    ("int Zero(int* p) {\n  if (p) return 1;\n  return *p;\n}\n",
     "clang-analyzer-core.NullDereference"),
]


def copy_tree(into):
    for path in tree.files(tree.OURS) + ["README.md", "CONTRIBUTING.md",
                                         ".clang-format", "CMakeLists.txt"]:
        source = os.path.join(tree.OURS, path)
        # The checks read neither recordings nor corpora.
        if os.path.exists(source) and os.path.getsize(source) < 250000:
            target = os.path.join(into, path)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy(source, target)


def planted(root, check, path, text, before):
    """The problems that the check reports only after `text` is planted."""
    target = os.path.join(root, path)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    old = None
    if os.path.exists(target):
        with open(target, "rb") as file:
            old = file.read()
    with open(target, "ab") as file:
        file.write(text.encode())
    try:
        return [p for p in check.problems(root) if p not in before]
    finally:
        if old is None:
            os.remove(target)
        else:
            with open(target, "wb") as file:
                file.write(old)


def test_checks(root):
    before = {}
    for name, path, text, words in PLANTS:
        check = importlib.import_module(name)
        if name not in before:
            before[name] = set(check.problems(root))
        found = planted(root, check, path, text, before[name])
        if not any(words in problem for problem in found):
            yield f"{name} misses {text[:60]!r} in {path}: {found}"


def test_mentions():
    for cases, counts in ((PROOFS, True), (MENTIONS, False)):
        for read, texts in cases:
            for text in texts:
                text = text.replace("planted", "kube_event_planted") if (
                    read is metrics.compared_by_scenario) else text
                found = {name.removeprefix("kube_event_")
                         for name in read(text)}
                if ("planted_total" in found) != counts:
                    yield f"metrics {read.__name__}, {text!r}: {found}"


def test_tidy(folder):
    # Named like ours: header-filter knows sources by their folder.
    source = os.path.join(folder, "exporter", "planted.cc")
    os.makedirs(os.path.dirname(source), exist_ok=True)
    batch = tidy.Batch((source,), "planted.o",
                       f"clang++-14 -std=c++20 -o planted.o -c {source}")
    path = tidy.unify([batch], folder)[batch]
    for text, words in [("int Fine() { return 1; }\n", ""), *TIDY]:
        with open(source, "w", encoding="utf-8") as file:
            file.write(text)
        found = tidy.tidy(folder, batch, path)
        if words not in found or (found and not words):
            yield f"clang-tidy, {words or 'fine code'}: {text[:60]!r}: {found}"


def test_shellcheck(root):
    if not shutil.which("shellcheck"):
        yield "shellcheck is not installed"
        return
    check = importlib.import_module("scripts")
    found = planted(root, check, "deploy/planted",
                    "#!/bin/bash\nrm -rf $1/x\n", set())
    if not any("SC2086" in problem for problem in found):
        yield f"scripts misses an unquoted variable: {found}"


def main():
    with tempfile.TemporaryDirectory(prefix="kem-lint-") as folder:
        root = os.path.join(folder, "tree")
        copy_tree(root)
        failures = [*test_checks(root), *test_mentions(), *test_tidy(folder),
                    *test_shellcheck(root), *dashboard_plants.failures(root)]
        # Last, as what it plants stays. Without Vale the check is left out.
        if prose.vale():
            failures += prose_plants.failures(root)
        else:
            print(prose.MISSING)
    for failure in failures:
        print(failure)
    names = {plant[0] for plant in PLANTS}
    here = os.path.dirname(os.path.abspath(__file__))
    for name in sorted(os.listdir(here)):
        stem, ending = os.path.splitext(name)
        helpers = ("tree", "tidy", "selftest", "promql", "linter_rules",
               "dashboard_rules", "dashboard_plants", "prose",
               "prose_plants", "prose_texts")
        if ending == ".py" and stem not in names and stem not in helpers:
            failures.append(name)
            print(f"{name} has no planted violation")
    count = (len(PLANTS) + sum(len(texts) for _, texts in MENTIONS) + len(TIDY)
             + len(dashboard_plants.PLANTS) + 1)
    count += prose_plants.COUNT if prose.vale() else 0
    print(f"{count} violations planted, {len(failures)} missed")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
