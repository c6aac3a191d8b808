{{- define "kube-event-metrics.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "kube-event-metrics.fullname" -}}
{{- $name := include "kube-event-metrics.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "kube-event-metrics.selectorLabels" -}}
app.kubernetes.io/name: {{ include "kube-event-metrics.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "kube-event-metrics.podLabels" -}}
{{ include "kube-event-metrics.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end -}}

{{- define "kube-event-metrics.labels" -}}
{{ include "kube-event-metrics.podLabels" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "kube-event-metrics.metadata" -}}
name: {{ include "kube-event-metrics.fullname" . }}
namespace: {{ .Release.Namespace }}
labels:
  {{- include "kube-event-metrics.labels" . | nindent 2 }}
{{- end -}}

{{- define "kube-event-metrics.serviceAccountName" -}}
{{- $made := include "kube-event-metrics.fullname" . -}}
{{- .Values.serviceAccount.name | default (ternary $made "default" .Values.serviceAccount.create) -}}
{{- end -}}

{{- define "kube-event-metrics.image" -}}
{{- with .Values.image -}}
{{- .repository -}}
{{- if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end -}}
{{- end -}}
{{- end -}}

{{- define "kube-event-metrics.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{- define "kube-event-metrics.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{/* The namespaces to watch, as a YAML list; empty means all. */}}
{{- define "kube-event-metrics.namespaces" -}}
{{- if eq .Values.rbac.mode "cluster-scoped" -}}
{{- list "default" "kube-system" | toYaml -}}
{{- else -}}
{{- .Values.rbac.namespaces | toYaml -}}
{{- end -}}
{{- end -}}

{{/* The text of --config.file; empty for none. */}}
{{- define "kube-event-metrics.config" -}}
{{- $config := deepCopy .Values.config -}}
{{- with .Values.trustedNamespaces }}{{ $_ := set $config "scope.trusted-namespaces" . }}{{ end -}}
{{- with include "kube-event-metrics.sinks" . | fromYamlArray }}{{ $_ := set $config "sinks" . }}{{ end -}}
{{- with $config }}{{ toYaml . }}{{ end -}}
{{- end -}}

{{/* Arguments of both the exporter and the dry run of the helm test. */}}
{{- define "kube-event-metrics.commonArgs" -}}
{{- if eq .Values.rbac.mode "cluster-scoped" }}
- --scope=cluster
{{- end }}
{{- with include "kube-event-metrics.namespaces" . | fromYamlArray }}
- --watch.namespaces={{ join "," . }}
{{- end }}
{{- if include "kube-event-metrics.config" . }}
- --config.file=/etc/kube-event-metrics/config/config.yaml
{{- end }}
{{- with include "kube-event-metrics.lease" . }}
- --replicas.lease={{ $.Release.Namespace }}/{{ . }}
{{- end }}
{{- end -}}

{{/* A duration such as 1m30s in seconds. */}}
{{- define "kube-event-metrics.seconds" -}}
{{- $sum := 0 -}}
{{- range regexFindAll "[0-9]+[hms]" . -1 -}}
{{- $unit := ternary 3600 (ternary 60 1 (hasSuffix "m" .)) (hasSuffix "h" .) -}}
{{- $sum = add $sum (mul $unit (regexFind "[0-9]+" . | int)) -}}
{{- end -}}
{{- $sum -}}
{{- end -}}

{{/* A new counter must be 0 for two and a half scrapes. */}}
{{- define "kube-event-metrics.initialZero" -}}
{{- $seconds := include "kube-event-metrics.seconds" .Values.monitor.interval | int -}}
{{- $own := or (dig "metrics" "initial-zero" "" .Values.config) (contains "--metrics.initial-zero" (join " " .Values.extraArgs)) -}}
{{- if and .Values.monitor.enabled (gt $seconds 30) (not $own) -}}
- --metrics.initial-zero={{ div (add (mul $seconds 5) 1) 2 }}s
{{- end -}}
{{- end -}}
