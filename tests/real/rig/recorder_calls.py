"""The calls of Event recorders in Go source, with the type and reason of each.

Made for test_reasons.py and the source of Kubernetes. A reason is a literal, a
constant, or an expression of run time, which the caller has to know.
"""

import collections
import functools
import pathlib
import re

# type and reason: sets of texts, or None if they are made at run time.
Call = collections.namedtuple("Call", "path line types reasons expression")

RECORDER = re.compile(r"[\w)]\.(Event|Eventf|AnnotatedEventf)\(")
IMPORT = re.compile(r'^\s*(?:import\s+)?(?:(\w+)\s+)?"([^"]+)"$', re.MULTILINE)
CONSTANT = re.compile(r'^\s*(?:const\s+|var\s+)?(\w+)(?:\s+\w+)?\s*=\s*'
                      r'"([^"\n]*)"', re.MULTILINE)
COMMENT = re.compile(r"^[ \t]*//.*$", re.MULTILINE)
# Not in a component, or a recorder itself.
IGNORED = re.compile(r"_test\.go$|/testutil/|/testing/|/kubemark/|/fake|"
                     r"client-go@\S+/tools/(record|events|internal)/|"
                     r"/kubelet/container/helpers\.go$")


def arguments(text, start):
    """The arguments of a call, whose opening parenthesis precedes `start`."""
    found, depth, begin, position = [], 0, start, start
    while True:
        char = text[position]
        if char in "\"`'":
            end = position + 1
            while text[end] != char:
                end += 2 if text[end] == "\\" and char != "`" else 1
            position = end
        elif char in "([{":
            depth += 1
        elif char in ")]}":
            if depth == 0:
                found.append(text[begin:position].strip())
                return [one for one in found if one]
            depth -= 1
        elif char == "," and depth == 0:
            found.append(text[begin:position].strip())
            begin = position + 1
        position += 1


def places(method, given):
    """The positions of type and reason among the arguments of a recorder."""
    if method == "AnnotatedEventf":
        return 2, 3
    # events.k8s.io: Eventf(regarding, related, type, reason, action, note).
    if method == "Eventf" and len(given) > 4 and "EventType" in given[2]:
        return 2, 3
    return 1, 2


class Source:
    """Go modules of one folder, such as the module cache."""

    def __init__(self, modules):
        # The import path of a module to its folder.
        self.modules = modules

    def files(self, module, *folders):
        root = self.modules[module]
        for folder in folders or ("",):
            for path in sorted((root / folder).rglob("*.go")):
                if not IGNORED.search(str(path)):
                    yield path

    def calls(self, path, wrappers):
        """The calls in a file. `wrappers` are functions that pass a type and a
        reason on: {name: (position of the type or the type, position)}."""
        text = path.read_text(encoding="utf-8")
        if "Event" not in text and not any(name in text for name in wrappers):
            return
        text = COMMENT.sub(lambda found: "", text)
        for found in RECORDER.finditer(text):
            given = arguments(text, found.end())
            if len(given) < 3:
                continue
            kind, reason = places(found.group(1), given)
            yield self._call(path, text, found, given[kind], given[reason])
        for name, (kind, reason) in wrappers.items():
            # A declaration of the wrapper is no call.
            for found in re.finditer(rf"(?<!func )(?<!\) )\b{name}\(", text):
                given = arguments(text, found.end())
                if len(given) > reason:
                    yield self._call(
                        path, text, found,
                        kind if isinstance(kind, str) else given[kind],
                        given[reason])

    def _call(self, path, text, found, kind, reason):
        types = {name for name in ("Normal", "Warning")
                 if kind.endswith(f"EventType{name}")} or None
        # A parameter or variable hides a constant of the package.
        function = text[text.rfind("\nfunc ", 0, found.start()):found.start()]
        local = re.search(rf"\b{re.escape(reason)}\b", function)
        return Call(self.name(path), text.count("\n", 0, found.start()) + 1,
                    types, None if local and reason.isidentifier() else
                    self.value(path, text, reason), reason)

    def name(self, path):
        """As in the repository of Kubernetes."""
        for module, root in self.modules.items():
            if path.is_relative_to(root):
                within = path.relative_to(root).as_posix()
                return (within if module == "k8s.io/kubernetes"
                        else f"staging/src/{module}/{within}")
        raise ValueError(path)

    def value(self, path, text, expression):
        """What a reason is: a set of one text, or None."""
        if expression.startswith('"'):
            return {expression.strip('"')}
        package, _, name = expression.rpartition(".")
        if not re.fullmatch(r"\w+", name):
            return None
        folder = path.parent
        if package:
            folder = self._imported(text, package)
        constants = self._constants(folder) if folder else {}
        return {constants[name]} if name in constants else None

    def _imported(self, text, package):
        for alias, target in IMPORT.findall(text):
            if package == (alias or target.rpartition("/")[2]):
                for module, root in self.modules.items():
                    if target.startswith(module + "/"):
                        return root / target[len(module) + 1:]
        return None

    @functools.lru_cache(maxsize=None)
    def _constants(self, folder):
        """Texts of a package that have one value in it."""
        found = collections.defaultdict(set)
        for path in pathlib.Path(folder).glob("*.go"):
            if not path.name.endswith("_test.go"):
                text = path.read_text(encoding="utf-8")
                # Only what is not local: gofmt indents those once at most.
                for match in CONSTANT.finditer(text):
                    indent = len(match.group(0)) - len(
                        match.group(0).lstrip())
                    if indent <= 2:
                        found[match.group(1)].add(match.group(2))
        return {name: values.pop() for name, values in found.items()
                if len(values) == 1}
