{{/* Combinations that cannot work, each with its fix. */}}
{{- define "kube-event-metrics.validate" -}}
{{- include "kube-event-metrics.validateSinks" . -}}
{{- $v := .Values -}}
{{- $two := gt (int $v.replicas) 1 -}}
{{- $tls := $v.web.tls -}}
{{- $users := $v.web.config.basic_auth_users -}}
{{- $certificates := include "kube-event-metrics.clientCertificates" . -}}
{{- $interval := include "kube-event-metrics.seconds" $v.monitor.interval | int -}}
{{- if and $two (eq $v.state.type "persistentVolumeClaim") -}}
{{- fail "A claim can serve only one replica: set replicas to 1, or state.type to emptyDir." -}}
{{- end -}}
{{- if and $v.state.existingClaim (ne $v.state.type "persistentVolumeClaim") -}}
{{- fail "state.existingClaim is not used: set state.type to persistentVolumeClaim." -}}
{{- end -}}
{{- if and $v.podDisruptionBudget.enabled (not $two) -}}
{{- fail "podDisruptionBudget.enabled needs more than one replica: set replicas to 2." -}}
{{- end -}}
{{- if and (eq $v.rbac.mode "namespaces") (not $v.rbac.namespaces) -}}
{{- fail "rbac.mode namespaces needs rbac.namespaces: list the namespaces to watch." -}}
{{- end -}}
{{- if and (ne $v.rbac.mode "namespaces") $v.rbac.namespaces -}}
{{- fail (printf "rbac.mode %s ignores rbac.namespaces: set rbac.mode to namespaces, or leave the list empty." $v.rbac.mode) -}}
{{- end -}}
{{- if and $v.trustedNamespaces (eq $v.rbac.mode "cluster-scoped") -}}
{{- fail "rbac.mode cluster-scoped watches only default and kube-system: set rbac.mode to cluster, or leave trustedNamespaces empty." -}}
{{- end -}}
{{- if and $v.trustedNamespaces (hasKey $v.config "scope.trusted-namespaces") -}}
{{- fail "Both trustedNamespaces and config have scope.trusted-namespaces: keep the list in trustedNamespaces." -}}
{{- end -}}
{{- if and $tls.enabled (not $tls.secretName) (not $tls.certManager.enabled) -}}
{{- fail "web.tls.enabled needs a certificate: set web.tls.secretName or web.tls.certManager.enabled." -}}
{{- end -}}
{{- if and $tls.certManager.enabled (not $tls.enabled) -}}
{{- fail "web.tls.certManager.enabled has no effect without web.tls.enabled: set both." -}}
{{- end -}}
{{- if and $tls.certManager.enabled (not $tls.certManager.issuerRef.name) -}}
{{- fail "web.tls.certManager.enabled needs an issuer: set web.tls.certManager.issuerRef.name." -}}
{{- end -}}
{{- if and $users (not $certificates) (not $v.probes.httpHeaders) -}}
{{- fail "The kubelet must log in: set probes.httpHeaders to the Authorization header of a user in web.config.basic_auth_users." -}}
{{- end -}}
{{- if $v.monitor.enabled -}}
{{- if and $users (not $v.monitor.basicAuth) -}}
{{- fail "Prometheus must log in: set monitor.basicAuth to a user in web.config.basic_auth_users." -}}
{{- end -}}
{{- if and $certificates (not $v.monitor.tlsConfig.cert) -}}
{{- fail "Prometheus needs a client certificate: set cert and keySecret in monitor.tlsConfig." -}}
{{- end -}}
{{- if gt $interval 1440 -}}
{{- fail "monitor.interval is too long, because --metrics.initial-zero must be two and a half intervals and at most 1h: set 24m or less." -}}
{{- end -}}
{{- if gt (include "kube-event-metrics.seconds" $v.monitor.scrapeTimeout | int) $interval -}}
{{- fail "monitor.scrapeTimeout is longer than monitor.interval, which Prometheus rejects: lower it." -}}
{{- end -}}
{{- end -}}
{{- end -}}
