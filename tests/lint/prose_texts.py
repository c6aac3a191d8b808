"""Takes the prose out of C++, YAML, JSON and NOTES.txt, for prose.py.

`texts(root, path)` gives (kind, pieces) for each text of a file, where a piece
is (line, words) and the pieces of one text belong together: adjacent string
literals, the lines of one comment. The kinds are "strings", which users read,
and "comments". Names of code in them are blanked by `prose`.
"""

import json
import re

import yaml

import tree

TOKEN = re.compile(
    r'(?P<comment>//[^\n]*)|(?P<block>/\*.*?\*/)|R"(\w*)\(.*?\)\3"|'
    r'"(?P<literal>(?:[^"\\\n]|\\.)*)"|' r"'(?:[^'\\\n]|\\.)'", re.DOTALL)
# What is no English: names of code, flags, paths, templates, quoted text, and
# what Markdown would take for its own.
CODE = re.compile(
    r"""\{\{.*?\}\}|`[^`]*`|<[^<>\s][^<>]*>|https?://\S+|\$\{?\w+\}?"""
    r"""|"[^"]*"|(?<!\w)'[^' ]*'"""
    r"""|(?<![\w-])--?[a-zA-Z][\w.-]*(?:=\S*)?"""       # --flag
    r"""|[\w.*~-]*/[\w./*{}-]+|~/\S*"""                 # a/path
    r"""|\w*[\w>)]::[\w:]*|\w+\(\)|\w+\([\w, ]*\)"""    # Class::Call()
    r"""|\b\w*_\w*\b|\b(?=\w*[a-z])\w*\d\w*"""          # snake_case, x86
    r"""|\b\w*[a-z]\w*[A-Z]\w*\b|\b[A-Z]+[a-z]\w*[A-Z]\w*\b"""
    r"""|\b\w+(?:\.\w+)+\b(?!\s+[A-Z])"""               # a.file, v1.Event
    r"""|\b\w+[=:]\w\S*|[\[\]{}<>&*~_#@^|\\]+""")
RULES = re.compile(r"alerts/rules/.*\.yaml$")
CHART = "deploy/helm/kube-event-metrics/"
NOTES = CHART + "templates/NOTES.txt"
QUICKSTART = "deploy/quickstart"
MANUAL = "deploy/man/kube-event-metrics.8.in"
JSON_TEXT = re.compile(r'^\s*"(?:title|description|label|content)": (".*"),?$')


def prose(text):
    """The text with names of code as zeros, its length unchanged."""
    return CODE.sub(lambda m: "0" * len(m.group()), text)


def cpp(text):
    runs, last = [], None
    for match in TOKEN.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        between = text[last.end():match.start()] if last else ""
        kind = match.lastgroup
        glued = (last is not None and kind == last.lastgroup
                 and not between.strip())
        if kind == "comment":
            words = match.group().lstrip("/")
            if not words.strip() or words.startswith(" namespace"):
                last = None  # a blank line ends the paragraph
                continue
            if words.startswith("   "):
                pass  # an example
            elif glued and between.count("\n") == 1:
                runs[-1][1].append((line, words))
            else:
                runs.append(("comments", [(line, words)]))
        elif kind == "literal":
            words = re.sub(r"\\[nt]", "  ", match.group("literal"))
            words = words.replace('\\"', "''")
            if glued:
                runs[-1][1].append((line, words))
            else:
                runs.append(("strings", [(line, words)]))
        last = match
    return runs


def hash_comments(text):
    runs, before = [], -1
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r"\s*#+ ?(?:-- ?)?(.*)", line)
        if match and match.group(1):
            fresh = before != number - 1 or "# -- " in line
            if fresh:
                runs.append(("comments", []))
            runs[-1][1].append((number, " " + match.group(1)))
            before = number
    return runs


def quoted(text):
    """What a script or a chart's template prints."""
    for number, line in enumerate(text.splitlines(), 1):
        for words in re.findall(r'"([^"]*)"', line):
            yield "strings", [(number, words)]


def annotations(text):
    """The summary and description of each alert."""
    def walk(node):
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value in ("summary", "description"):
                    yield "strings", [(value.start_mark.line + 1, value.value)]
                else:
                    yield from walk(value)
        elif isinstance(node, yaml.SequenceNode):
            for value in node.value:
                yield from walk(value)
    try:
        yield from walk(yaml.compose(text))
    except yaml.YAMLError:
        return  # the check of alerts reports it


def panels(text):
    for number, line in enumerate(text.splitlines(), 1):
        if match := JSON_TEXT.match(line):
            try:
                yield "strings", [(number, json.loads(match.group(1)))]
            except ValueError:
                pass  # the check of dashboards reports it


def notes(text):
    for number, line in enumerate(text.splitlines(), 1):
        if line[:1].strip():
            yield "strings", [(number, line)]


def manual(text):
    """The paragraphs of a man page; what a macro sets in bold is code."""
    paragraph, example = [], False
    for number, line in enumerate(text.splitlines(), 1):
        macro = line.partition(" ")[0] if line.startswith(".") else ""
        example = (example or macro == ".EX") and macro != ".EE"
        if macro in (".B", ".I", ".BR", ".RB", ".IR", ".RI", ".BI", ".IB"):
            paragraph.append((number, " " + "0" * (len(line) - 1)))
        elif not macro and not example:
            words = re.sub(r"\\f.|\\\[\w+\]", " ", line)
            words = words.replace("\\-", "-")
            paragraph.append((number, " " + words))
        else:
            yield "strings", paragraph
            paragraph = []
    yield "strings", paragraph


def texts(root, path):
    text = tree.read(root, path)
    if path.endswith((".h", ".cc")):
        found = cpp(text)
    elif path.endswith(".json"):
        found = panels(text)
    elif path == NOTES:
        found = notes(text)
    elif path == MANUAL:
        found = manual(text)
    elif path.endswith(".tpl"):
        found = quoted(text)
    else:
        found = hash_comments(text)
        if path == QUICKSTART:
            found += quoted(text)
        if RULES.match(path):
            found += annotations(text)
    for kind, pieces in found:
        words = "".join(words for _, words in pieces)
        # Two words in a row are prose, or a name such as "text/plain; x".
        if re.search(r"[A-Za-z]{2,}[,;:]? [A-Za-z]{2,}", prose(words)):
            yield kind, pieces


def sources(root):
    """The files, beside Markdown, that have texts to read."""
    found = tree.files(root, ".h", ".cc", under=["exporter"])
    found += tree.files(root, ".json", under=["dashboards/json"])
    found += tree.files(root, ".yaml", under=["alerts/rules"])
    found += [path for path in tree.files(root, ".yaml", under=["deploy"])
              if not path.startswith(tuple(CHART + folder for folder in (
                  "files/", "templates/", "tests/")))]
    found += tree.files(root, ".tpl", under=[CHART])
    return found + [NOTES, MANUAL, QUICKSTART]
