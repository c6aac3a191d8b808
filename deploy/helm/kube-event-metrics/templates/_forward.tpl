{{/* Cluster-scoped kinds that may be marked, and their resources. */}}
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

{{/* The resources that outlets mark, each once, as a YAML list. */}}
{{- define "kube-event-metrics.markedResources" -}}
{{- $known := merge (dict) .Values.rbac.markResources (include "kube-event-metrics.knownResources" . | fromYaml) -}}
{{- $resources := list -}}
{{- range .Values.forward -}}
{{- if eq .kind "mark" -}}
{{- range .filter.kinds -}}
{{- if not (hasKey $known .) -}}
{{- fail (printf "forward marks %s, whose resource is not known: set rbac.markResources.%s, such as to things.example.com." . .) -}}
{{- end -}}
{{- $resources = append $resources (get $known .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $resources | uniq | sortAlpha | toYaml -}}
{{- end -}}

{{/* The namespaces that outlets mirror into, each once, as a YAML list. */}}
{{- define "kube-event-metrics.mirrorNamespaces" -}}
{{- $namespaces := list -}}
{{- range .Values.forward -}}
{{- if eq .kind "namespace" }}{{ $namespaces = append $namespaces .namespace }}{{ end -}}
{{- end -}}
{{- $namespaces | uniq | sortAlpha | toYaml -}}
{{- end -}}

{{- define "kube-event-metrics.validateForward" -}}
{{- if and .Values.forward .Values.config.forward -}}
{{- fail "The outlets stand twice: keep them in forward, and take them out of config.forward." -}}
{{- end -}}
{{- $names := list -}}
{{- $labels := list -}}
{{- $paths := list -}}
{{- range .Values.forward -}}
{{- if has .name $names }}{{ fail (printf "forward has two outlets called %s: rename one." .name) }}{{ end -}}
{{- $names = append $names .name -}}
{{- if eq .kind "log" -}}
{{- $path := .path | default "stdout" -}}
{{- if has $path $paths }}{{ fail (printf "forward has two logs to %s: give one another path." $path) }}{{ end -}}
{{- $paths = append $paths $path -}}
{{- end -}}
{{- if eq .kind "mark" -}}
{{- $label := .label | default "kube-event-metrics/trouble" -}}
{{- if has $label $labels }}{{ fail (printf "forward has two marks with the label %s: give one another label." $label) }}{{ end -}}
{{- $labels = append $labels $label -}}
{{- end -}}
{{- end -}}
{{- end -}}
