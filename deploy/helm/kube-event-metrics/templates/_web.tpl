{{/* The file of --web.config.file, and what depends on it. */}}

{{/* The file; empty for plain HTTP without logins. */}}
{{- define "kube-event-metrics.webConfig" -}}
{{- $config := deepCopy .Values.web.config -}}
{{- if .Values.web.tls.enabled -}}
{{- $folder := "/etc/kube-event-metrics/tls/" -}}
{{- $files := dict "cert_file" (print $folder "tls.crt") "key_file" (print $folder "tls.key") -}}
{{- $config = mergeOverwrite $config (dict "tls_server_config" $files) -}}
{{- end -}}
{{- with $config }}{{ toYaml . }}{{ end -}}
{{- end -}}

{{- define "kube-event-metrics.scheme" -}}
{{- $config := include "kube-event-metrics.webConfig" . | fromYaml -}}
{{- ternary "HTTPS" "HTTP" (hasKey $config "tls_server_config") -}}
{{- end -}}

{{/* "true" if a client needs a certificate. */}}
{{- define "kube-event-metrics.clientCertificates" -}}
{{- $type := dig "tls_server_config" "client_auth_type" "" .Values.web.config -}}
{{- if has $type (list "RequireAnyClientCert" "RequireAndVerifyClientCert") }}true{{ end -}}
{{- end -}}

{{- define "kube-event-metrics.tlsSecretName" -}}
{{- .Values.web.tls.secretName | default (print (include "kube-event-metrics.fullname" .) "-tls") -}}
{{- end -}}

{{/* A kubelet has no client certificate, so it can only connect. */}}
{{- define "kube-event-metrics.probe" -}}
{{- $root := index . 0 -}}
{{- if include "kube-event-metrics.clientCertificates" $root -}}
tcpSocket:
  port: http
{{- else -}}
httpGet:
  path: {{ index . 1 }}
  port: http
  {{- if eq (include "kube-event-metrics.scheme" $root) "HTTPS" }}
  scheme: HTTPS
  {{- end }}
  {{- with $root.Values.probes.httpHeaders }}
  httpHeaders:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
timeoutSeconds: 5
{{- end -}}
