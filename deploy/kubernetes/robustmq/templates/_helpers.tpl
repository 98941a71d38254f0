{{- define "robustmq.labels" -}}
app.kubernetes.io/name: robustmq
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "robustmq.placement.servers" -}}
{{- $name := printf "%s-placement" .Release.Name -}}
{{- $servers := list -}}
{{- range $index := untilStep 1 (int (add .Values.placementCenter.replicas 1)) 1 -}}
{{- $servers = append $servers (printf "\"%s-%d.%s:1228\"" $name $index $name) -}}
{{- end -}}
[{{ join ", " $servers }}]
{{- end }}

{{- define "robustmq.placement.nodes" -}}
{{- $name := printf "%s-placement" .Release.Name -}}
{{- $nodes := list -}}
{{- range $index := untilStep 1 (int (add .Values.placementCenter.replicas 1)) 1 -}}
{{- $nodes = append $nodes (printf "%d = \"%s-%d.%s:1228\"" $index $name $index $name) -}}
{{- end -}}
{ {{ join ", " $nodes }} }
{{- end }}

{{- define "robustmq.tokenSecret" -}}
{{- if .Values.clusterToken.existingSecret -}}
{{ .Values.clusterToken.existingSecret }}
{{- else -}}
{{ .Release.Name }}-cluster-token
{{- end -}}
{{- end }}

{{- define "robustmq.passwordsSecret" -}}
{{- if .Values.passwords.existingSecret -}}
{{ .Values.passwords.existingSecret }}
{{- else -}}
{{ .Release.Name }}-passwords
{{- end -}}
{{- end }}

{{/* The number of the pod is the number of the node: both begin with 1. */}}
{{- define "robustmq.environment" -}}
- name: {{ .idVariable }}
  valueFrom:
    fieldRef:
      fieldPath: metadata.labels['apps.kubernetes.io/pod-index']
- name: POD_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
- name: {{ .tokenVariable }}
  valueFrom:
    secretKeyRef:
      name: {{ include "robustmq.tokenSecret" .root }}
      key: token
{{- end }}

{{- define "robustmq.security" -}}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile:
    type: RuntimeDefault
{{- end }}

{{- define "robustmq.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end }}
