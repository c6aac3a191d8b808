"""The commands of the runbooks, and what is wrong with how they are written.

A runbook has blocks of bash and of promql. A block of bash runs where kubectl
does, unless its first line is one of MARKS. Variables are set from labels of
the alert, NODE='<object_name>', or from the output of kubectl.
"""

import collections
import re
import subprocess
import textwrap

# Blocks that need what a control plane lacks; they are checked for syntax.
MARKS = ("# On the node:", "# Asks the kubelet:", "# Starts a Pod:")
BLOCK = re.compile(r"^( *)```(.*)\n((?:.*\n)*?)\1```$", re.M)
SECTION = re.compile(r"^## (.*)$", re.M)
OVER = "How to confirm that it is over"
# At the end of a line: the command continues.
CONTINUES = re.compile(r"(\\|\||&&|\|\||[^&]&)$")
# NAME='<label>'; the other form is for a sink's namespace or endpoint.
FROM_LABEL = re.compile(r"^(\w+)='<(\w+)>'$")
FROM_ENTRY = re.compile(r"^(\w+)='<\w+>' +# key of the sink's entry$")
# NAME=$(kubectl ...), and read -r NAME NAME <<<"$(kubectl ...)"
FROM_OUTPUT = re.compile(r"^(?:(\w+)=\$\(|read -r ([\w ]+) <<<\"\$\()kubectl ")
SET = re.compile(r"^(?:[A-Z_]+=|read )")
USED = re.compile(r"\$\{?([A-Z_]+)\b")
# A command in the text would not be executed.
INLINE = re.compile(r"`((?:kubectl|curl|crictl|systemctl|journalctl|jq) [^`]*"
                    r"|[^`]*\$[A-Z][^`]*)`")

Command = collections.namedtuple("Command", "section language text mark")


def complete(text):
    """Whether bash can run the lines as they are."""
    # bash only warns about a here-document without an end.
    done = subprocess.run(["bash", "-n", "-c", text], check=False,
                          capture_output=True)
    return not CONTINUES.search(text.rstrip()) and not done.stderr


def statements(block):
    """The commands of a block of bash, without comments between them."""
    lines = []
    for line in block.splitlines():
        if lines or line.strip() and not line.startswith("#"):
            lines.append(line)
        if lines and complete("\n".join(lines)):
            yield "\n".join(lines)
            lines = []
    if lines:
        yield "\n".join(lines)


def commands(text):
    """Every Command of a runbook, in order."""
    sections = [(found.start(), found[1]) for found in SECTION.finditer(text)]
    for found in BLOCK.finditer(text):
        section = next((name for at, name in reversed(sections)
                        if at < found.start()), "")
        language, block = found[2], textwrap.dedent(found[3])
        mark = next((mark for mark in MARKS if block.startswith(mark)), None)
        parts = (re.split(r"\n\n+", block.strip()) if language == "promql"
                 else statements(block))
        for part in parts:
            yield Command(section, language, part, mark)


def fill(text, labels):
    """The text with the values of labels in place of their names."""
    return re.sub(r"'<(\w+)>'", lambda found: f"'{labels[found[1]]}'", text)


def problems(text, labels):
    """What is wrong in a runbook, for an alert with these labels."""
    body = re.sub(r"<!-- generated -->.*?<!-- /generated -->", "", text,
                  flags=re.S)
    found = list(commands(body))
    if not any(each.section == OVER for each in found):
        yield f'no command in a section "{OVER}"'
    outside = BLOCK.sub("", body)
    for inline in INLINE.findall(outside):
        yield f"not in a block: {inline}"
    for line in re.findall(r"^ {4,}(?! *[-*\d]).*$", outside, re.M):
        if re.search(r"\$|kubectl|kube_event", line):
            yield f"not in a fenced block: {line.strip()}"
    known = set()
    for each in found:
        where = each.text.splitlines()[0]
        if each.language not in ("bash", "promql"):
            yield f"a block of {each.language or 'no language'}: {where}"
        elif each.language == "promql" and "$" in each.text:
            yield f"Prometheus does not know variables of the shell: {where}"
        if each.mark == MARKS[0] and "kubectl" in each.text:
            yield f"kubectl does not run on the node: {where}"
        if each.language == "bash":
            if not complete(each.text):
                yield f"bash cannot parse: {each.text}"
            for name in USED.findall(each.text):
                if name not in known:
                    yield f"${name} is not set from a label: {where}"
        if SET.match(each.text):
            label = FROM_LABEL.match(each.text)
            entry = FROM_ENTRY.match(each.text)
            output = FROM_OUTPUT.match(each.text)
            if label and label[2] in labels:
                known.add(label[1])
            elif entry:
                known.add(entry[1])
            elif output:
                known.update((output[1] or output[2]).split())
            else:
                yield f"set from no label of the alert: {where}"
