"""Kubeconfigs of every shape, and what client-go does with each.

A case has the files of a folder, the environment and flags, and what the
servers of access_server.py must see: "S token t", or "error". Names in @ are
places of the test: @S@ and @T@ are two https servers of the same authority,
@P@ a plain one, @CA@ the authority's file, @F@ the folder of the case.
"""

import typing

ERROR = "error"
CLUSTER = "server: '@S@', certificate-authority: '@CA@'"
TEXT = """apiVersion: v1
kind: Config
current-context: c
contexts: [{name: c, context: {%s}}]
clusters: [{name: k, cluster: {%s}}]
users: [{name: u, user: {%s}}]
"""


class Case(typing.NamedTuple):
    name: str
    expected: str
    files: dict
    env: dict
    flags: tuple
    pod: bool  # in a Pod, with the service account "S token pod-token"


def text(cluster=CLUSTER, user="token: t", context="cluster: k, user: u"):
    return TEXT % (context, cluster, user)


def case(name, expected, config=None, *, files=None, env=None, flags=(),
         pod=False, **parts):
    """`parts`: of text(), without `config`."""
    if config is None:
        config = text(**parts)
    return Case(name, expected, {"config": config, **(files or {})},
                {"KUBECONFIG": "@F@/config"} if env is None else env,
                tuple(flags), pod)


def replaced(*pairs):
    """The usual text with some replacements."""
    made = text()
    for old, new in pairs:
        assert old in made, old
        made = made.replace(old, new)
    return made


CONTEXT_LINE = "current-context: c\n"
OTHER = """apiVersion: v1
contexts: [{name: d, context: {cluster: k2, user: u2}}]
clusters: [{name: k2, cluster: {server: '@T@', certificate-authority: '@CA@'}}]
users: [{name: u2, user: {token: t2}}]
"""

CONTEXTS = [
    case("plain", "S token t"),
    case("JSON", "S token t", '{"current-context": "c", "contexts": [{"name": '
         '"c", "context": {"cluster": "k", "user": "u"}}], "clusters": '
         '[{"name": "k", "cluster": {"server": "@S@", "certificate-authority": '
         '"@CA@"}}], "users": [{"name": "u", "user": {"token": "t"}}]}'),
    case("no kind and apiVersion", "S token t",
         replaced(("apiVersion: v1\nkind: Config\n", ""))),
    case("a context without user", "S anonymous", context="cluster: k"),
    case("an empty user", "S anonymous", context="cluster: k, user: ''"),
    case("a null user", "S anonymous", context="cluster: k, user: ~"),
    case("a user that does not exist", "S anonymous",
         context="cluster: k, user: lost"),
    case("a user without a name", "S token t",
         replaced(("{name: u, user", "{user"), (", user: u", ""))),
    case("a cluster that does not exist", ERROR,
         context="cluster: x, user: u"),
    case("a context without cluster", ERROR, context="user: u"),
    case("a cluster without server", ERROR, cluster="tls-server-name: x"),
    case("no current-context", ERROR, replaced((CONTEXT_LINE, ""))),
    case("a current-context that does not exist", ERROR,
         replaced((CONTEXT_LINE, "current-context: d\n"))),
    case("a context without a name", "S token t",
         replaced((CONTEXT_LINE, ""), ("{name: c, ", "{"))),
    case("--context", "T token t2", files={"other": OTHER},
         env={"KUBECONFIG": "@F@/config:@F@/other"}, flags=["--context=d"]),
    case("--context that does not exist", ERROR, flags=["--context=d"]),
    case("--apiserver", "T token t",
         flags=["--kubeconfig=@F@/config", "--apiserver=@T@"],
         cluster=CLUSTER + ", tls-server-name: wrong"),
    case("--apiserver alone", "T token t", flags=["--apiserver=@T@"]),
    case("--kubeconfig", "S token t", env={"KUBECONFIG": "@F@/lost"},
         flags=["--kubeconfig=@F@/config"]),
    case("--kubeconfig that does not exist", ERROR,
         flags=["--kubeconfig=@F@/lost"]),
    case("two clusters of a name", ERROR,
         replaced(("clusters: [", "clusters: [{name: k}, "))),
    case("two users of a name", ERROR,
         replaced(("users: [", "users: [{name: u}, "))),
    case("two contexts of a name", ERROR,
         replaced(("contexts: [", "contexts: [{name: c}, "))),
    case("an entry that is null", "S token t",
         replaced(("clusters: [", "clusters: [null, "))),
    case("lists that are null", ERROR, "current-context: c\nclusters: ~\n"),
    case("clusters as a map", ERROR,
         replaced(("clusters: [", "clusters: {a: ["), ("'}}]", "'}}]}"))),
    case("another kind", ERROR, replaced(("kind: Config", "kind: Pod"))),
    case("another apiVersion", ERROR,
         replaced(("apiVersion: v1", "apiVersion: v2"))),
    case("unknown keys", "S token t", "unknown: [{}]\n" + text(
        cluster=CLUSTER + ", unknown: {a: b}")),
    case("a key in another case", ERROR, replaced(("server:", "Server:"))),
    case("preferences and extensions", "S token t", "preferences: {colors: "
         "true}\nextensions: [{name: a, extension: {b: c}}]\n" + text()),
]

BASE = "base: &base {server: '@S@', certificate-authority: '@CA@'}\n"
YAML = [
    case("an empty file", ERROR, ""),
    case("only comments", ERROR, "# nothing\n"),
    case("only null", ERROR, "~\n"),
    case("a list", ERROR, "[]\n"),
    case("a text", ERROR, "nothing\n"),
    case("no YAML", ERROR, "a: [b\n"),
    case("an empty first document", ERROR, "---\n---\n" + text()),
    case("a second document", "S token t",
         "---\n" + text() + "---\ncurrent-context: d\n"),
    case("garbage after the first document", "S token t",
         text() + "...\n\t{[garbage\n"),
    case("a byte order mark", "S token t", "\ufeff" + text()),
    case("CRLF", "S token t", text().replace("\n", "\r\n")),
    case("tabs", ERROR, "contexts:\n\t- name: c\n"),
    case("anchors", "S token t",
         BASE + text(cluster="x: y").replace("{x: y}", "*base")),
    case("an alias that does not exist", ERROR,
         text().replace("clusters: ", "clusters: *lost #")),
    case("an alias in itself", ERROR,
         replaced(("users: [", "users: &users [*users, "))),
    case("aliases that expand", ERROR, "".join(
        f"a{n}: &a{n} [{f'*a{n - 1}, ' * 9 if n else 'x'}]\n"
        for n in range(12)) + text()),
    case("a merge key", "S token t", BASE + text(cluster="<<: *base")),
    case("a merge key before keys", "T token t",
         BASE + text(cluster="<<: *base, server: '@T@'")),
    case("a merge key after keys", "S token t",
         BASE + text(cluster="server: '@T@', <<: *base")),
    case("a merge key with a list", "S token t", BASE + text(
        cluster="<<: [*base, {server: '@T@', tls-server-name: localhost}], "
        "tls-server-name: ''")),
    case("a merge key with a map", "S token t",
         text(user="<<: {token: t, username: x}, username: ''")),
    case("two merge keys", "S token t2",
         text(user="<<: {token: t}, <<: {token: t2}")),
    case("a merge key in a merged map", "S token t",
         text(user="<<: {<<: {token: t}}")),
    case("a merge key at the top", "S token t",
         "<<: {current-context: c}\n" + replaced((CONTEXT_LINE, ""))),
    case("a merge key with a text", ERROR, user="<<: t"),
    case("a merge key with null", ERROR, user="token: t, <<: ~"),
    case("a merge key in quotes", "S anonymous", user="'<<': {token: t}"),
    case("two servers", "T token t", cluster="server: '@S@', server: '@T@', "
         "certificate-authority: '@CA@'"),
    case("two tokens, the last null", "S anonymous", user="token: t, token: "),
    case("two current-contexts", "S token t",
         "current-context: d\n" + text()),
    case("two lists of users", "S token t",
         "users: [{name: u, user: {token: x}}, {name: x}]\n" + text()),
    case("a token over two lines", "S token a b", user="token: a\n  b"),
    case("a token with a line break", ERROR, user='token: "t\\n"'),
    case("a number as token", ERROR, user="token: 12"),
    case("a number in quotes", "S token 12", user="token: '12'"),
    case("a number that is a string", "S token 12", user="token: !!str 12"),
    case("a hexadecimal token", ERROR, user="token: 0x1F"),
    case("a date as token", "S token 2026-11-23", user="token: 2026-11-23"),
    case("a boolean as token", ERROR, user="token: on"),
    case("a boolean word in another case", "S token oN", user="token: oN"),
    case("null as token", "S anonymous", user="token: null"),
    case("a list as token", ERROR, user="token: [t]"),
    case("a number as name", ERROR, replaced(("name: k", "name: 1"),
                                             ("cluster: k", "cluster: 1"))),
    case("a list as a key", ERROR, "? [a]\n: b\n" + text()),
    case("null as a key", ERROR, "~: b\n" + text()),
    case("a number as a key", "S token t", "1: b\n" + text()),
]

LISTS = [
    case("a missing file of a list", "S token t",
         env={"KUBECONFIG": "@F@/lost:@F@/config"}),
    case("an empty entry of a list", "S token t",
         env={"KUBECONFIG": "::@F@/config:@F@/config:"}),
    case("a list of nothing", ERROR, env={"KUBECONFIG": ":"},
         files={".kube/config": text()}),
    case("a list of missing files", ERROR, env={"KUBECONFIG": "@F@/a:@F@/b"}),
    case("an invalid file of a list", ERROR, files={"bad": "a: [b"},
         env={"KUBECONFIG": "@F@/config:@F@/bad"}),
    case("a folder", ERROR, env={"KUBECONFIG": "@F@"}),
    case("entries of several files", "T token t",
         replaced(("cluster: k,", "cluster: k2,")), files={"other": OTHER},
         env={"KUBECONFIG": "@F@/config:@F@/other"}),
    case("the first current-context", "S token t",
         files={"other": CONTEXT_LINE.replace("c\n", "d\n") + OTHER},
         env={"KUBECONFIG": "@F@/config:@F@/other"}),
    case("the first user of a name, whole", "S token first", files={
        "first": "users: [{name: u, user: {token: first}}]\n"},
         user="token: t, username: x",
         env={"KUBECONFIG": "@F@/first:@F@/config"}),
    case("paths of the file that has them", "S token near",
         text(user="tokenFile: token"), files={
             "token": "wrong", "sub/token": "near",
             "sub/users": "users: [{name: u, user: {tokenFile: token}}]\n"},
         env={"KUBECONFIG": "@F@/sub/users:@F@/config"}),
    case("the file at home", "S token t", env={},
         files={".kube/config": text()}),
    case("no file at all", ERROR, env={}),
    case("an empty variable", "S token t", env={"KUBECONFIG": ""},
         files={".kube/config": text()}),
]

PODS = [
    case("in a Pod without kubeconfig", "S token pod-token", env={}, pod=True),
    case("in a Pod with a kubeconfig", "S token t", pod=True),
    case("in a Pod, no current-context", "S token pod-token",
         replaced((CONTEXT_LINE, "")), pod=True),
    case("in a Pod, --kubeconfig without current-context",
         "S token pod-token", replaced((CONTEXT_LINE, "")), env={}, pod=True,
         flags=["--kubeconfig=@F@/config"]),
    case("in a Pod, an empty kubeconfig", "S token pod-token", "", pod=True),
    case("in a Pod, a current-context that does not exist", ERROR,
         replaced((CONTEXT_LINE, "current-context: d\n")), pod=True),
    case("in a Pod, an invalid kubeconfig", ERROR, "a: [b", pod=True),
    case("in a Pod, a cluster that does not exist", "S token pod-token",
         context="cluster: x, user: u", pod=True),
    case("in a Pod, a missing file", "S token pod-token", pod=True,
         env={"KUBECONFIG": "@F@/lost"}),
]

FILES = CONTEXTS + YAML + LISTS + PODS
