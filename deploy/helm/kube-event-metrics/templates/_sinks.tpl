{{/* Cluster-scoped kinds that can be annotated, and their resources. */}}
{{- define "kube-event-metrics.knownResources" -}}
APIService: apiservices.apiregistration.k8s.io
CSIDriver: csidrivers.storage.k8s.io
CSINode: csinodes.storage.k8s.io
ClusterRole: clusterroles.rbac.authorization.k8s.io
ClusterRoleBinding: clusterrolebindings.rbac.authorization.k8s.io
CustomResourceDefinition: customresourcedefinitions.apiextensions.k8s.io
IngressClass: ingressclasses.networking.k8s.io
Namespace: namespaces
Node: nodes
PersistentVolume: persistentvolumes
PriorityClass: priorityclasses.scheduling.k8s.io
RuntimeClass: runtimeclasses.node.k8s.io
StorageClass: storageclasses.storage.k8s.io
VolumeAttachment: volumeattachments.storage.k8s.io
{{- end -}}

{{/* The resources that sinks annotate, each once, as a YAML list. */}}
{{- define "kube-event-metrics.annotatedResources" -}}
{{- $known := merge (dict) .Values.rbac.annotateResources (include "kube-event-metrics.knownResources" . | fromYaml) -}}
{{- $resources := list -}}
{{- range .Values.sinks -}}
{{- if eq .type "annotate" -}}
{{- range .filter.kinds -}}
{{- if not (hasKey $known .) -}}
{{- fail (printf "The chart does not know the resource of the kind %s, which a sink annotates: set rbac.annotateResources.%s, for example to things.example.com." . .) -}}
{{- end -}}
{{- $resources = append $resources (get $known .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $resources | uniq | sortAlpha | toYaml -}}
{{- end -}}

{{/* The namespaces that sinks mirror into, each once, as a YAML list. */}}
{{- define "kube-event-metrics.mirrorNamespaces" -}}
{{- $namespaces := list -}}
{{- range .Values.sinks -}}
{{- if eq .type "mirror" }}{{ $namespaces = append $namespaces .namespace }}{{ end -}}
{{- end -}}
{{- $namespaces | uniq | sortAlpha | toYaml -}}
{{- end -}}

{{/* The sinks with the one of history, as a YAML list. */}}
{{- define "kube-event-metrics.sinks" -}}
{{- $sinks := .Values.sinks -}}
{{- with .Values.history -}}
{{- if .enabled -}}
{{- $sink := dict "name" "history" "type" "history" "path" "/var/lib/kube-event-metrics/history.db" "keep" .keep "max-size" .maxSize -}}
{{- with .filter }}{{ $_ := set $sink "filter" . }}{{ end -}}
{{- $sinks = append $sinks $sink -}}
{{- end -}}
{{- end -}}
{{- $sinks | toYaml -}}
{{- end -}}

{{/* A size such as 1.5Gi or 512MiB in bytes. */}}
{{- define "kube-event-metrics.bytes" -}}
{{- $units := dict "" 1 "K" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 -}}
{{- $number := regexFind "^[0-9.]+" . -}}
{{- $unit := . | trimPrefix $number | trimSuffix "B" -}}
{{- mulf ($number | float64) (get $units $unit | float64) | int64 -}}
{{- end -}}

{{- define "kube-event-metrics.validateHistory" -}}
{{- $history := .Values.history -}}
{{- $state := .Values.state -}}
{{- if $history.enabled -}}
{{- if eq $state.type "none" -}}
{{- fail "history.enabled needs a volume: set state.type to emptyDir or persistentVolumeClaim." -}}
{{- end -}}
{{- if .Values.config.sinks -}}
{{- fail "Both history.enabled and config.sinks are set: move the list from config.sinks to sinks." -}}
{{- end -}}
{{- range .Values.sinks -}}
{{- if eq .type "history" -}}
{{- fail (printf "There can be one history: set history.enabled to false, or remove the sink %s." .name) -}}
{{- end -}}
{{- end -}}
{{- if and (eq $state.type "persistentVolumeClaim") (not $state.existingClaim) -}}
{{- if ge (include "kube-event-metrics.bytes" $history.maxSize | int64) (include "kube-event-metrics.bytes" $state.size | int64) -}}
{{- fail (printf "history.maxSize %s leaves no room for the state: set state.size to more than %s." $history.maxSize $state.size) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The name of the Lease if several replicas have sinks. */}}
{{- define "kube-event-metrics.lease" -}}
{{- if and (gt (int .Values.replicas) 1) (or .Values.sinks .Values.config.sinks) -}}
{{- include "kube-event-metrics.fullname" . -}}
{{- end -}}
{{- end -}}

{{- define "kube-event-metrics.validateSinks" -}}
{{- if and .Values.sinks .Values.config.sinks -}}
{{- fail "Both sinks and config.sinks are set: keep the list in sinks and remove config.sinks." -}}
{{- end -}}
{{- include "kube-event-metrics.validateHistory" . -}}
{{- $names := ternary (list "history") (list) .Values.history.enabled -}}
{{- $labels := list -}}
{{- $paths := list -}}
{{- range .Values.sinks -}}
{{- if has .name $names }}{{ fail (printf "Two sinks have the name %s: rename one." .name) }}{{ end -}}
{{- $names = append $names .name -}}
{{- if eq .type "log" -}}
{{- $path := .path | default "stdout" -}}
{{- if has $path $paths }}{{ fail (printf "Two sinks of type log write to %s: change the path of one." $path) }}{{ end -}}
{{- $paths = append $paths $path -}}
{{- end -}}
{{- if eq .type "annotate" -}}
{{- $label := .label | default "kube-event-metrics/trouble" -}}
{{- if has $label $labels }}{{ fail (printf "Two sinks of type annotate use the label %s: change the label of one." $label) }}{{ end -}}
{{- $labels = append $labels $label -}}
{{- end -}}
{{- end -}}
{{- end -}}
