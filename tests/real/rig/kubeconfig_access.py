"""Kubeconfigs of every way to reach an API server and to log in to it.

See kubeconfigs.py. More places: @CERT@, @KEY@ of alice, @OTHER_CA@,
@OTHER_KEY@; @CA64@, @CERT64@, @KEY64@ are those files in base64; @BROKEN@ is a
certificate that is none, @TORN@ the first half of one; @PORT@, @PLAIN_PORT@ are
ports of @S@ and @P@; @X@ is an HTTP and SOCKS5 proxy.
"""

from rig.kubeconfigs import CLUSTER, ERROR, FILES, case

CA = "certificate-authority: '@CA@'"
TRUST_CA = {"KUBECONFIG": "@F@/config", "SSL_CERT_FILE": "@CA@"}
LOGIN = "client-certificate: '@CERT@', client-key: '@KEY@'"


def authority(name, expected, *bundle):
    return case(name, expected, files={"ca": "\n".join(bundle)},
                cluster="server: '@S@', certificate-authority: ca")


AUTHORITIES = [
    case("CA data", "S token t",
         cluster="server: '@S@', certificate-authority-data: '@CA64@'"),
    case("CA data over several lines", "S token t", cluster="server: '@S@', "
         'certificate-authority-data: "@CA64@\\n\\n"'),
    case("CA data and file", ERROR,
         cluster=CLUSTER + ", certificate-authority-data: '@CA64@'"),
    case("CA data that is no base64", ERROR,
         cluster="server: '@S@', certificate-authority-data: '%%%'"),
    case("a CA file that does not exist", ERROR,
         cluster="server: '@S@', certificate-authority: lost"),
    case("another CA", ERROR,
         cluster="server: '@S@', certificate-authority: '@OTHER_CA@'"),
    case("no CA", ERROR, cluster="server: '@S@'"),
    case("no CA, the system trusts the server", "S token t", env=TRUST_CA,
         cluster="server: '@S@'"),
    case("another CA, the system trusts the server", ERROR, env=TRUST_CA,
         cluster="server: '@S@', certificate-authority: '@OTHER_CA@'"),
    case("an empty CA", "S token t", env=TRUST_CA,
         cluster="server: '@S@', certificate-authority: ''"),
    case("empty CA data", "S token t", env=TRUST_CA,
         cluster="server: '@S@', certificate-authority-data: ''"),
    case("null as CA data", "S token t", env=TRUST_CA,
         cluster="server: '@S@', certificate-authority-data: "),
    case("an empty CA file", ERROR, files={"ca": ""}, env=TRUST_CA,
         cluster="server: '@S@', certificate-authority: ca"),
    case("a blank CA file", ERROR, files={"ca": "\n\n"}, env=TRUST_CA,
         cluster="server: '@S@', certificate-authority: ca"),
    case("empty CA data and a CA file", "S token t",
         cluster=CLUSTER + ", certificate-authority-data: ''"),
    authority("a broken certificate first", "S token t", "@BROKEN@",
              "@CA_TEXT@"),
    authority("a broken certificate last", "S token t", "@CA_TEXT@",
              "@BROKEN@"),
    authority("a torn certificate first", "S token t", "@TORN@", "@CA_TEXT@"),
    authority("a torn certificate last", "S token t", "@CA_TEXT@", "@TORN@"),
    authority("only broken certificates", ERROR, "@BROKEN@", "@TORN@"),
    authority("text around a certificate", "S token t", "# root", "@CA_TEXT@",
              "the end"),
    authority("a key and a certificate", "S token t", "@KEY_TEXT@",
              "@CA_TEXT@"),
    case("insecure", "S token t",
         cluster="server: '@S@', insecure-skip-tls-verify: true"),
    case("insecure by another word", "S token t",
         cluster="server: '@S@', insecure-skip-tls-verify: Yes"),
    case("insecure in quotes", ERROR,
         cluster="server: '@S@', insecure-skip-tls-verify: 'true'"),
    case("insecure with a CA", ERROR,
         cluster=CLUSTER + ", insecure-skip-tls-verify: true"),
    case("insecure with an empty CA", "S token t", cluster="server: '@S@', "
         "insecure-skip-tls-verify: true, certificate-authority: ''"),
    case("tls-server-name", "S token t sni=kubernetes.default.svc",
         cluster=CLUSTER + ", tls-server-name: kubernetes.default.svc"),
    case("tls-server-name with a dot", "S token t sni=kubernetes.default.svc",
         cluster=CLUSTER + ", tls-server-name: kubernetes.default.svc."),
    case("a wrong tls-server-name", ERROR,
         cluster=CLUSTER + ", tls-server-name: wrong"),
    case("disable-compression", "S token t",
         cluster=CLUSTER + ", disable-compression: true"),
    case("disable-compression that is no boolean", ERROR,
         cluster=CLUSTER + ", disable-compression: maybe"),
]


def server(name, expected, url, **more):
    return case(name, expected, cluster=f"server: '{url}', {CA}", **more)


SERVERS = [
    server("a server by name", "S token t sni=localhost",
           "https://localhost:@PORT@"),
    server("an upper-case scheme", "S token t", "HTTPS://127.0.0.1:@PORT@"),
    server("a slash", "S token t", "@S@/"),
    server("a path", "S token t path=/k8s/c-1", "@S@/k8s/c-1"),
    server("a path with a slash", "S token t path=/k8s/c-1", "@S@/k8s/c-1/"),
    server("a path with a query", "S token t path=/p", "@S@/p?x=1#y"),
    server("a query", "S token t", "@S@?x=1"),
    server("a query after a slash", "S token t", "@S@/?x=1"),
    server("a fragment", "S token t", "@S@#y"),
    server("a fragment after a slash", "S token t path=/%23y", "@S@/#y"),
    server("a login in the URL", "S basic me:p:w",
           "https://me:p%3aw@127.0.0.1:@PORT@"),
    server("a login without password in the URL", "S basic me:",
           "https://me@127.0.0.1:@PORT@", user=""),
    server("a login in the URL and a certificate", "S basic me:pw cert=alice",
           "https://me:pw@127.0.0.1:@PORT@", user=LOGIN),
    server("a login in the URL that is not encoded", ERROR,
           "https://me:%zz@127.0.0.1:@PORT@"),
    server("a host without scheme, with TLS settings", ERROR,
           "127.0.0.1:@PORT@"),
    server("plain http", "P anonymous", "@P@"),
    server("plain http with a path", "P anonymous path=/p", "@P@/p"),
    server("plain http and impersonation", "P anonymous user=jane", "@P@",
           user="token: t, as: jane"),
    server("plain http and a token file that does not exist", "P anonymous",
           "@P@", user="tokenFile: lost"),
    server("a login in the URL of plain http", "P basic me:pw",
           "http://me:pw@127.0.0.1:@PLAIN_PORT@"),
    case("a host without scheme", "P anonymous",
         cluster="server: '127.0.0.1:@PLAIN_PORT@'"),
    case("a host without scheme, with a path", ERROR,
         cluster="server: '127.0.0.1:@PLAIN_PORT@/p'"),
    server("another scheme", ERROR, "ftp://127.0.0.1:@PORT@"),
    server("port 0", ERROR, "https://127.0.0.1:0"),
    server("port 65536", ERROR, "https://127.0.0.1:65536"),
    server("no host", ERROR, "https://:@PORT@"),
    server("a blank", ERROR, "https://127.0.0.1 :@PORT@"),
    server("no URL", ERROR, "https://"),
]

USERS = [
    case("tokenFile", "S token t", user="tokenFile: '@F@/token'",
         files={"token": "t"}),
    case("tokenFile with a line break", "S token t", user="tokenFile: token",
         files={"token": "t\n"}),
    case("a relative tokenFile", "S token t", files={
        "x/token": "t",
        "y/users": "users: [{name: u, user: {tokenFile: ../x/token}}]\n"},
         env={"KUBECONFIG": "@F@/x/../y/users:@F@/config"}),
    case("tokenFile that does not exist", ERROR, user="tokenFile: lost"),
    case("an empty tokenFile", ERROR, user="tokenFile: token",
         files={"token": ""}),
    case("token and tokenFile", "S token file", files={"token": "file"},
         user="token: t, tokenFile: token"),
    case("token and a tokenFile that does not exist", "S token t",
         user="token: t, tokenFile: lost"),
    case("a client certificate", "S anonymous cert=alice", user=LOGIN),
    case("client certificate data", "S anonymous cert=alice", user="client-"
         "certificate-data: '@CERT64@', client-key-data: '@KEY64@'"),
    case("certificate data and a key file", "S anonymous cert=alice",
         user="client-certificate-data: '@CERT64@', client-key: '@KEY@'"),
    case("a client certificate and a token", "S token t cert=alice",
         user=LOGIN + ", token: t"),
    case("a certificate without key", ERROR,
         user="client-certificate: '@CERT@'"),
    case("a key without certificate", "S anonymous",
         user="client-key: '@KEY@'"),
    case("certificate data and file", ERROR,
         user=LOGIN + ", client-certificate-data: '@CERT64@'"),
    case("key data and file", ERROR,
         user=LOGIN + ", client-key-data: '@KEY64@'"),
    case("the key of another", ERROR,
         user="client-certificate: '@CERT@', client-key: '@OTHER_KEY@'"),
    case("an empty certificate", ERROR, files={"crt": ""},
         user="client-certificate: crt, client-key: '@KEY@'"),
    case("an empty key", ERROR, files={"key": ""},
         user="client-certificate: '@CERT@', client-key: key"),
    case("certificate data that is empty", "S anonymous",
         user="client-certificate-data: '', client-key: '@KEY@'"),
    case("user name and password", "S basic me:pw",
         user="username: me, password: pw"),
    case("a user name without password", "S basic me:", user="username: me"),
    case("a password without user name", "S anonymous", user="password: pw"),
    case("a token and a user name", ERROR, user="token: t, username: me"),
    case("an empty token", "S basic me:pw",
         user="token: '', username: me, password: pw"),
    case("impersonation", "S token t extra-acme.com%2fproject=x "
         "extra-acme.com%2fproject=z group=a group=b uid=7 user=jane",
         user="token: t, as: jane, as-uid: '7', as-groups: [a, b], "
         "as-user-extra: {acme.com/project: [x, z]}"),
    case("the boolean y as extra", ERROR,
         user="token: t, as: jane, as-user-extra: {a: [y]}"),
    case("the boolean y as a key of extra", "S token t extra-true=a user=jane",
         user="token: t, as: jane, as-user-extra: {y: [a]}"),
    case("groups without a user", ERROR, user="token: t, as-groups: [a]"),
    case("a uid without a user", ERROR, user="token: t, as-uid: '7'"),
    case("extra without a user", ERROR,
         user="token: t, as-user-extra: {a: []}"),
    case("a number as uid", ERROR, user="token: t, as: jane, as-uid: 7"),
    case("groups that are no list", ERROR, user="as: jane, as-groups: a"),
    case("auth-provider", ERROR, user="auth-provider: {name: gcp}"),
]

V1 = "client.authentication.k8s.io/v1"
PLUGIN = """#!/bin/sh
printf '%%s' '%s'
"""
PRINTS = ('{"kind": "ExecCredential", "apiVersion": "%s", "status": %s}')
RUN = f"command: ./plugin, apiVersion: {V1}, interactiveMode: Never"


def plugin(name, expected, status='{"token": "t"}', run=RUN, *, user="",
           version=V1, printed=None, script=None, **more):
    if script is None:
        script = PLUGIN % (printed or PRINTS % (version, status))
    return case(name, expected, user=f"exec: {{{run}}}{user}",
                files={"plugin": script, "bin/get-token": script}, **more)


TELL = ("#!/bin/sh\nprintf '" + PRINTS.replace("%s", V1, 1) % (
    '{"token": "info.%s"}') + "' \"$(printf %s \"$KUBERNETES_EXEC_INFO\" | "
    "base64 -w0)\"\n")
PLUGINS = [
    plugin("a plugin", "S token t"),
    plugin("a plugin of v1beta1", "S token t", run="command: ./plugin, "
           f"apiVersion: {V1}beta1", version=V1 + "beta1"),
    plugin("a plugin of v1alpha1", ERROR, run="command: ./plugin, "
           f"apiVersion: {V1}alpha1", version=V1 + "alpha1"),
    plugin("a plugin in PATH", "S token t", run=f"command: get-token, "
           f"apiVersion: {V1}, interactiveMode: IfAvailable",
           env={"KUBECONFIG": "@F@/config", "PATH": "@F@/bin:/usr/bin:/bin"}),
    plugin("a plugin that prints YAML", "S token t", printed="kind: "
           f"ExecCredential\napiVersion: {V1}\nstatus:\n  token: t\n  "
           "expirationTimestamp: 2099-01-01T00:00:00Z\n"),
    plugin("a plugin that prints another version", ERROR,
           version=V1 + "beta1"),
    plugin("a plugin that prints another kind", ERROR,
           printed='{"kind": "Status", "apiVersion": "v1"}'),
    plugin("a plugin that prints no JSON", ERROR, printed="t"),
    plugin("a plugin that prints nothing", ERROR, printed=" "),
    plugin("a plugin that gives nothing", ERROR, "{}"),
    plugin("a plugin without status", ERROR, "null"),
    plugin("a plugin that fails", ERROR, script="#!/bin/sh\nexit 1\n"),
    plugin("a plugin that does not exist", ERROR,
           run=RUN.replace("./plugin", "./lost")),
    plugin("a plugin that needs a terminal", ERROR,
           run=RUN.replace("Never", "Always")),
    plugin("a plugin with another interactiveMode", ERROR,
           run=RUN.replace("Never", "Sometimes")),
    plugin("a plugin without interactiveMode", ERROR,
           run=f"command: ./plugin, apiVersion: {V1}"),
    plugin("a plugin without apiVersion", ERROR,
           run="command: ./plugin, interactiveMode: Never"),
    plugin("a plugin without command", ERROR,
           run=f"apiVersion: {V1}, interactiveMode: Never"),
    plugin("a plugin beside a token", "S token u", user=", token: u"),
    plugin("a plugin beside a login in the URL", "S basic me:pw",
           cluster=f"server: 'https://me:pw@127.0.0.1:@PORT@', {CA}"),
    plugin("a plugin beside a password", "S token t", user=", password: pw"),
    plugin("a plugin beside an auth-provider", ERROR,
           user=", auth-provider: {name: gcp}"),
    plugin("a plugin with arguments and variables", "S token a-b-c",
           run=RUN + ", args: [a, ~], env: [{name: B, value: b}, {name: C, "
           "value: c}]", script="#!/bin/sh\nprintf '" + PRINTS % (
               V1, '{"token": "%s-%s-%s"}') + "' \"$1$2\" \"$B\" \"$C\"\n"),
    plugin("a variable without a name", ERROR,
           run=RUN + ", env: [{value: b}]"),
    plugin("a variable with = in its name", "S token t",
           run=RUN + ", env: [{name: A=B, value: b}]"),
    plugin("a plugin with an unusual token", ERROR, '{"token": "a\\nb"}'),
    plugin("what a plugin receives", 'S token info {"apiVersion": '
           f'"{V1}", "kind": "ExecCredential", "spec": {{"interactive": '
           "false}}", script=TELL),
    plugin("what a plugin receives about the cluster", 'S token info '
           f'{{"apiVersion": "{V1}", "kind": "ExecCredential", "spec": '
           '{"cluster": {"certificate-authority-data": "@CA64@", "config": '
           '{"audience": "a", "list": [1, null, true]}, "server": "@S@/p", '
           '"tls-server-name": "localhost"}, "interactive": false}} path=/p '
           "sni=localhost", script=TELL,
           run=RUN + ", provideClusterInfo: true",
           cluster=f"server: '@S@/p?x', {CA}, tls-server-name: localhost, "
           "extensions: [{name: other, extension: x}, {name: client."
           "authentication.k8s.io/exec, extension: {audience: a, list: [1, ~, "
           "yes]}}]"),
]

NAME = f"server: 'https://kubernetes.default.svc:@PORT@', {CA}"
DOTTED = NAME.replace("svc:", "svc.:")
SNI = "S token t sni=kubernetes.default.svc"
VIA = " via http kubernetes.default.svc:@PORT@"


def proxied(name, expected, *, cluster=NAME, **env):
    return case(name, expected, cluster=cluster,
                env={"KUBECONFIG": "@F@/config", **env})


PROXIES = [
    proxied("proxy-url", SNI + VIA,
            cluster=NAME + ", proxy-url: 'http://@X@'"),
    proxied("proxy-url with a login", SNI + VIA + " me:p@w",
            cluster=NAME + ", proxy-url: 'http://me:p%40w@@X@/'"),
    proxied("proxy-url of SOCKS5", SNI + VIA.replace("http", "socks5"),
            cluster=NAME + ", proxy-url: 'socks5://@X@'"),
    proxied("proxy-url to this machine", "S token t via http 127.0.0.1:@PORT@",
            cluster=CLUSTER + ", proxy-url: 'http://@X@'"),
    proxied("proxy-url of another scheme", ERROR,
            cluster=NAME + ", proxy-url: 'ftp://@X@'"),
    proxied("proxy-url without scheme", ERROR,
            cluster=NAME + ", proxy-url: '@X@'"),
    proxied("a name with a dot at its end",
            SNI + VIA.replace("svc:", "svc.:"),
            cluster=DOTTED + ", proxy-url: 'http://@X@'"),
    proxied("HTTPS_PROXY", SNI + VIA, HTTPS_PROXY="http://@X@"),
    proxied("HTTPS_PROXY without scheme", SNI + VIA, HTTPS_PROXY="@X@"),
    proxied("https_proxy", SNI + VIA, https_proxy="http://@X@"),
    proxied("HTTPS_PROXY and https_proxy", SNI + VIA, HTTPS_PROXY="http://@X@",
            https_proxy="http://127.0.0.1:1"),
    proxied("https_proxy and an empty HTTPS_PROXY", SNI + VIA, HTTPS_PROXY="",
            https_proxy="http://@X@"),
    proxied("HTTP_PROXY", ERROR, HTTP_PROXY="http://@X@"),
    proxied("NO_PROXY and no_proxy", SNI + VIA, HTTPS_PROXY="http://@X@",
            NO_PROXY="other", no_proxy="kubernetes.default.svc"),
    proxied("NO_PROXY of the name", ERROR, HTTPS_PROXY="http://@X@",
            NO_PROXY="other, .default.svc"),
    proxied("HTTPS_PROXY and this machine", "S token t", cluster=CLUSTER,
            HTTPS_PROXY="http://127.0.0.1:1"),
    proxied("proxy-url and HTTPS_PROXY", SNI + VIA,
            cluster=NAME + ", proxy-url: 'http://@X@'",
            HTTPS_PROXY="http://127.0.0.1:1", NO_PROXY="*"),
]

CASES = FILES + AUTHORITIES + SERVERS + USERS + PLUGINS + PROXIES

# Where the exporter differs, on purpose: what it does, and why.
DIFFERENCES = {
    "--apiserver alone":
        (ERROR, "it ignores KUBECONFIG, so that no login goes to a server that "
         "it is not for"),
    "a user that does not exist":
        (ERROR, "a typing error must not make the exporter anonymous"),
    "in a Pod, a cluster that does not exist":
        (ERROR, "a typing error must not lead to another cluster"),
    "an empty CA": (ERROR, "it may be the mistake of a template, and must not "
                    "make the exporter trust every public authority"),
    "empty CA data": (ERROR, "as an empty CA"),
    "null as CA data": (ERROR, "as an empty CA"),
    "a token over two lines": (ERROR, "no token has a blank (RFC 6750)"),
    "a token with a line break": ("S token t", "as in a token file"),
    "a hexadecimal token": ("S token 0x1F", "only JSON's numbers are numbers"),
    "disable-compression that is no boolean":
        ("S token t", "the exporter never asks for compression"),
    "a host without scheme, with TLS settings":
        ("S token t", "client-go sends plain HTTP, which cannot be meant"),
    "plain http and a token file that does not exist":
        (ERROR, "all files are checked at the start"),
    "a fragment after a slash":
        ("S token t", "client-go makes a path of it, which cannot be meant"),
    "a login in the URL of plain http":
        ("P anonymous", "no login goes over plain HTTP"),
    "a variable with = in its name": (ERROR, "the name cannot be meant"),
}
