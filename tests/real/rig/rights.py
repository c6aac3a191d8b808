"""All rights of a service account's token, found by trying.

It sends real requests for verbs that requests have: authorization comes before
validation, so an empty body and an absent name suffice, and writes are dry runs
in case one is allowed. For other verbs (impersonate, bind, ...) it uses
SelfSubjectAccessReview. SelfSubjectRulesReview returns all rules at once.
"""

import collections

from rig.api import MERGE_PATCH

ABSENT = "kem-absent"
# Verbs that no request has, but that authorize other requests.
ODD_VERBS = ("approve", "attest", "bind", "escalate", "impersonate", "mount",
             "proxy", "redirect", "sign", "use", "*")
# Resources that exist for authorization only.
UNSERVED = (("", "groups"), ("", "users"), ("authentication.k8s.io", "uids"),
            ("authentication.k8s.io", "userextras/scopes"),
            ("certificates.k8s.io", "signers"),
            ("policy", "podsecuritypolicies"), ("*", "*"))

# Rights of every service account: system:basic-user and
# system:cluster-trust-bundle-discovery ...
_BASIC = {("authentication.k8s.io", "selfsubjectreviews", "create"),
          ("authorization.k8s.io", "selfsubjectaccessreviews", "create"),
          ("authorization.k8s.io", "selfsubjectrulesreviews", "create"),
          ("certificates.k8s.io", "clustertrustbundles", "get"),
          ("certificates.k8s.io", "clustertrustbundles", "list"),
          ("certificates.k8s.io", "clustertrustbundles", "watch")}
# ... and system:discovery, system:public-info-viewer and
# system:service-account-issuer-discovery.
BASIC_URLS = {"/.well-known/openid-configuration",
              "/.well-known/openid-configuration/", "/openid/v1/jwks",
              "/openid/v1/jwks/", "/api", "/api/*", "/apis", "/apis/*",
              "/healthz", "/livez", "/openapi", "/openapi/*", "/readyz",
              "/version", "/version/"}
# Paths that the server has and the account must not read.
OTHER_URLS = ("/", "/logs/", "/metrics", "/metrics/slis", "/debug/pprof/",
              "/debug/flags/v", "/configz", "/statusz", "/flagz",
              "/healthz/etcd", "/readyz/etcd", "/livez/etcd")

EVENTS = {(group, "events", verb) for group in ("", "events.k8s.io")
          for verb in ("get", "list", "watch")}

# verb: (method, of one object, query)
_DRY = "dryRun=All"
_REQUESTS = {
    "get": ("GET", True, ""),
    "list": ("GET", False, "limit=1"),
    "watch": ("GET", False, "watch=1&timeoutSeconds=1"),
    "create": ("POST", False, _DRY),
    "update": ("PUT", True, _DRY),
    "patch": ("PATCH", True, _DRY),
    "delete": ("DELETE", True, _DRY),
    "deletecollection": ("DELETE", False,
                         f"{_DRY}&fieldSelector=metadata.name%3D{ABSENT}")}
_OF_SUBRESOURCES = ("get", "create", "update", "patch", "delete")

Allowed = collections.namedtuple("Allowed", "group resource verb namespace")


def _try(api, path, verb):
    """Whether the server authorizes this request."""
    method, _, query = _REQUESTS[verb]
    body = None if method in ("GET", "DELETE") else {}
    content_type = MERGE_PATCH if method == "PATCH" else "application/json"
    status, text = api.raw(method, f"{path}?{query}", body, content_type)
    if status == 401:
        raise AssertionError(f"{method} {path}: {text[:200]}")
    return status != 403


def allowed_requests(api, served, namespaces):
    """(the allowed requests, the number of requests tried).

    The namespace "" means all namespaces, or a cluster-scoped resource.
    """
    allowed, asked = set(), 0
    for one in served:
        for namespace in ("", *namespaces) if one.namespaced else ("",):
            for verb, (_, single, _) in _REQUESTS.items():
                if one.is_sub and verb not in _OF_SUBRESOURCES:
                    continue
                # One object of a namespaced resource is in a namespace.
                inside = single or one.is_sub or verb == "create"
                if one.namespaced and inside and not namespace:
                    continue
                named = ABSENT if single or one.is_sub else None
                asked += 1
                if _try(api, one.path(namespace, named), verb):
                    allowed.add(Allowed(one.group, one.name, verb, namespace))
    return allowed, asked


def allowed_urls(api):
    """The allowed non-resource URLs."""
    return {url for url in OTHER_URLS if api.raw("GET", url)[0] != 403}


def may(api, group, resource, verb, namespace=""):
    """SelfSubjectAccessReview for the client's user."""
    name, _, sub = resource.partition("/")
    answer = api.post(
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
        {"spec": {"resourceAttributes": {
            "group": group, "resource": name, "subresource": sub,
            "verb": verb, "namespace": namespace}}})
    return answer["status"]["allowed"]


def allowed_odd_verbs(api, served, namespace):
    """The allowed verbs that no request has."""
    named = {(one.group, one.name, one.namespaced) for one in served}
    named |= {(*one, False) for one in UNSERVED}
    return {(group, resource, verb) for group, resource, namespaced in named
            for verb in ODD_VERBS
            if may(api, group, resource, verb,
                   namespace if namespaced else "")}


def rules(api, namespace):
    """({(group, resource, verb)}, {(URL, verb)}) from the server's rules."""
    status = api.post(
        "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
        {"spec": {"namespace": namespace}})["status"]
    if status["incomplete"]:
        raise AssertionError(f"rules are not complete: {status}")
    named = [rule for rule in status["resourceRules"]
             if rule.get("resourceNames")]
    if named:
        raise AssertionError(f"rights on objects by name: {named}")
    return ({(group, resource, verb) for rule in status["resourceRules"]
             for group in rule["apiGroups"] for resource in rule["resources"]
             for verb in rule["verbs"]},
            {(url, verb) for rule in status["nonResourceRules"]
             for url in rule["nonResourceURLs"] for verb in rule["verbs"]})


def basic(served):
    """{(group, resource, verb)} that this server allows every account."""
    named = {(one.group, one.name) for one in served}
    return {one for one in _BASIC if one[:2] in named}


def expected(allowed, namespaces, readable):
    """The requests that allowed_requests() must find for a reader of Events.

    `allowed` are the rights of every account; `readable` are the namespaces
    whose Events it may read, or None for all.
    """
    found = {Allowed(*one, "") for one in allowed}
    for group, resource, verb in EVENTS:
        if readable is None and verb != "get":
            found.add(Allowed(group, resource, verb, ""))
        found |= {Allowed(group, resource, verb, namespace)
                  for namespace in namespaces
                  if readable is None or namespace in readable}
    return found
