"""What each rule of vale/ must report, and good texts that it must not.

SENTENCES has one text for each entry of a substitution list, in the order of
the list, and at least one for every other rule. selftest.py runs this.
"""

import os

import yaml

import prose
import tree

VALE = os.path.dirname(prose.CONFIG)
STYLE = os.path.join(VALE, "styles", "KubeEventMetrics")
# GOOD and EXEMPT need these.
OTHER_FILES = {".vale.ini",
               "styles/config/vocabularies/KubeEventMetrics/accept.txt"}
SENTENCES = {
    "Terms": [
        "Each outlet has a queue.", "Events are forwarded to a collector.",
        "The exporter can forward Events there.",
        "Remove the mark after an hour.", "The births of series are delayed.",
        "The counter is held at 0 for a scrape.", "The exporter was blind.",
        "It was told again.", "It was said by the kubelet.",
        "Show who says it.", "It passes the Events on."],
    "OldNames": [
        "Read `kube_event_metrics_forward_failed`.",
        "See `KubeEventForwardFailing`.",
        "Read `kube_event_metrics_frames`.", "Read `blind_seconds`.",
        "Set `--metrics.birth-hold`.", "Read `x{outlet=\"a\"}`.",
        "Set `kind: mark`.", "Set `kind: namespace`.",
        "A key:\n\n    forward:\n"],
    "Frames": ["Each watch frame is counted.", "Each frame is counted."],
    "Words": [
        "This mends the watch.", "It starts anew.", "It shall stop.",
        "It fails for want of memory.",
        "It can not stop.", "Whoever reads it can stop it.",
        "Nobody reads it.", "It lets go of the lock.",
        "Letting go of the lock is late.", "A reader of ours is late.",
        "Close it, lest it leaks.", "It waits whilst the list runs.",
        "It is amongst the labels.",
        "It reads a copy thereof.", "It reads what is therein.",
        "A list wherein names repeat.", "It knows of two kinds.",
        "Its behaviour changed.", "The list was cancelled.",
        "It lists so many pods."],
    "Latin": [
        "Set a label, e.g. the team.", "Set one label, i.e. the team.",
        "It reads lists, watches, etc.", "Read it via the proxy.",
        "One label, viz. the team.", "Lists vs. watches.",
        "A label, cf. the list."],
    "Personified": [
        "The sink is told first.", "Grafana told of it.",
        "The server is asked twice.", "Stop when Grafana says so.",
        "It stops, as Grafana said so.", "The server says why.",
        "The page tells why.", "The sink wants a name.",
        "The client hears little.", "The reason is said once."],
    "Stands": ["Both stand in the file.", "The key stands twice."],
    "Openings": ["What is held is asked about once more."],
    "Repetition": ["The the list is short."],
    "SentenceLength": ["It lists nodes" + 14 * " pods nodes" + "."],
    "Headings": ["## Every Word Is Large", "## The Helm Release", "## with no capital"],
    "Spelling": ["The kubelett restarts."],
}
GOOD = [
    # 30 words, names in code, a vocabulary word, and words with a good sense.
    "It lists" + 14 * " pods nodes" + ".",
    "## What the API server reports",
    "The kubelet writes `shall` and `outlet`.",
    "Use `kubectl port-forward`, or port-forwarding of another kind.",
    "CSI stands for Container Storage Interface.",
    "You are asked to restart the node. What is counted?",
    "Tell your team. Shallow copies mark the node as unhealthy.",
    "What it does not count is listed below.",
    "The tests pass on Debian 12.",
    "The proxy forwards the request.",
    "There are so many nodes that it waits. All lists are read, too.",
]
BAD = "Planted for want of a word."
RULE = """
  - alert: Planted
    annotations:
      {}: "{{{{ $labels.node }}}} {}"
"""
# kind of text, file, what is put at its end, the line of the finding in it
EXTRACTED = [
    ("help", "exporter/config/option_table.cc",
     '  {"x", kText,\n   "Planted for "\n   "want of a word.",\n', 2),
    ("HELP", "exporter/metrics/own_metrics.cc",
     f'    {{{{"kube_event_metrics_x", "counter",\n      "{BAD}"}},\n', 2),
    ("HELP", "exporter/series/families.cc", f'"{BAD}"\n', 1),
    ("log message", "exporter/app.cc", f'\nLogInfo("{BAD}", {{}});\n', 2),
    ("error", "exporter/base/file.cc",
     f'Error{{ErrorCode::kInternal, path + " {BAD}"}};\n', 1),
    ("comment", "exporter/base/error.h",
     "// One line,\n// planted for want of a word.\n", 2),
    ("summary", "alerts/rules/nodes.yaml", RULE.format("summary", BAD), 4),
    ("description", "alerts/rules/nodes.yaml",
     RULE.format("description", BAD), 4),
    ("panel title", "dashboards/json/kube-event-nodes.json",
     f'\n  "title": "{BAD}",\n', 2),
    ("panel description", "dashboards/json/kube-event-nodes.json",
     f'\n  "description": "{BAD}"\n', 2),
    ("value", "deploy/helm/kube-event-metrics/values.yaml",
     f"# -- {BAD}\nplanted: 1\n", 1),
    ("notes", "deploy/helm/kube-event-metrics/templates/NOTES.txt",
     f"{{{{ if .x }}}} {BAD}\n", 1),
    ("Kustomize", "deploy/kustomize/base/deployment.yaml", f"# {BAD}\n", 1),
    ("chart's error", "deploy/helm/kube-event-metrics/templates/_validate.tpl",
     f'{{{{ fail "{BAD}" }}}}\n', 1),
    ("script", "deploy/quickstart", f"# One.\n# {BAD}\n", 2),
    ("script's output", "deploy/quickstart", f'say "$it: {BAD}"\n', 1),
    ("man page", "deploy/man/kube-event-metrics.8.in",
     ".PP\n.B x\nfails for want of a word.\n", 3),
]
# path, text, rule that does not apply there
EXEMPT = [
    ("CHANGELOG.md", "\nAn outlet was renamed; `birth-hold` too.\n", "Terms"),
    ("CHANGELOG.md", "\nAn outlet was renamed; `birth-hold` too.\n",
     "OldNames"),
    ("exporter/base/error.h", "// A frame ends here.\n", "Frames"),
    ("exporter/ARCHITECTURE.md", "\nA frame ends here.\n", "Frames"),
    ("tests/bench/README.md", "\nA frame ends here.\n", "Frames"),
    ("exporter/base/error.h", "\n// All" + 40 * " pods nodes" + ".\n",
     "SentenceLength"),
]


def add(root, path, text):
    """Puts text at a file's end; gives the number of lines before it."""
    target = os.path.join(root, path)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    before = tree.read(root, path)
    with open(target, "w", encoding="utf-8") as file:
        file.write(before + text)
    return before.count("\n")


def swaps(root, rule):
    """The replacements of a substitution list, in its order."""
    text = tree.read(root, os.path.join(STYLE, f"{rule}.yml"))
    return list(yaml.safe_load(text).get("swap", {}).values())


def lists(root):
    """Files without a text here, and texts without an entry."""
    found = {os.path.relpath(os.path.join(folder, name),
                             os.path.join(root, VALE))
             for folder, _, names in os.walk(os.path.join(root, VALE))
             for name in names}
    known = {f"styles/KubeEventMetrics/{rule}.yml" for rule in SENTENCES}
    for name in sorted(found ^ (known | OTHER_FILES)):
        yield f"nothing planted belongs to {VALE}/{name}, or it is missing"
    for rule, sentences in SENTENCES.items():
        count = len(swaps(root, rule))
        if count and count != len(sentences):
            yield f"{rule} has {count} entries, {len(sentences)} are planted"


def failures(root):
    """What no rule saw, and good texts that one reports."""
    yield from lists(root)
    wanted, unwanted = [], []
    for rule, sentences in SENTENCES.items():
        entries = swaps(root, rule) or [""] * len(sentences)
        for number, (text, entry) in enumerate(zip(sentences, entries)):
            path = f"deploy/planted/{rule}{number}.md"
            add(root, path, text + "\n")
            words = f"Use '{entry}'" if entry else ""
            wanted.append((text, f"{path}:", words, f"[{rule}]"))
    for name, path, text, line in EXTRACTED:
        line += add(root, path, text)
        wanted.append((name, f"{path}:{line}: ", "", "[Words]"))
    for number, text in enumerate(GOOD):
        path = f"deploy/planted/good{number}.md"
        add(root, path, text + "\n")
        unwanted.append((text, f"{path}:", ""))
    for path, text, rule in EXEMPT:
        line = add(root, path, text) + text.count("\n")
        unwanted.append((text, f"{path}:{line}: ", f"[{rule}]"))
    found = list(prose.problems(root))
    for name, begin, words, end in wanted:
        if not any(problem.startswith(begin) and words in problem
                   and problem.endswith(end) for problem in found):
            yield f"prose does not see {name!r} at {begin} {words} {end}"
    for text, begin, end in unwanted:
        for problem in found:
            if problem.startswith(begin) and problem.endswith(end):
                yield f"prose reports the good {text!r}: {problem}"


COUNT = sum(map(len, SENTENCES.values())) + len(EXTRACTED)
