{{- define "lanner.labels" -}}
app.kubernetes.io/name: lanner
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "lanner.selector" -}}
app.kubernetes.io/name: lanner
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "lanner.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}
{{- end }}

{{/* The agent's configuration: what the chart knows, and over it what you set. */}}
{{- define "lanner.config" -}}
{{- $paths := list }}
{{- if .Values.rules.library }}{{ $paths = append $paths "/lanner/rules" }}{{ end }}
{{- if .Values.rules.files }}{{ $paths = append $paths "/etc/lanner-rules" }}{{ end }}
{{- if not $paths }}{{ fail "rules.library is off and rules.files is empty: there would be no rules" }}{{ end }}
{{- $config := dict "cluster" .Values.cluster "rules" (dict "paths" $paths) "kubernetes" (dict "mode" "on") "identity" (dict "instance" "node") }}
{{- if eq .Values.mode "alerts" }}
{{- $alerts := dict "mode" "always" }}
{{- if .Values.alerts.http }}{{ $_ := set $alerts "http" (dict "url" .Values.alerts.http) }}{{ end }}
{{- $_ := set $config "alerts" $alerts }}
{{- else }}
{{- $kinesis := dict "stream" .Values.kinesis.stream }}
{{- if .Values.kinesis.region }}{{ $_ := set $kinesis "region" .Values.kinesis.region }}{{ end }}
{{- $_ := set $config "kinesis" $kinesis }}
{{- end }}
{{- mergeOverwrite $config (deepCopy .Values.config) | toYaml }}
{{- end }}

{{/* Rights of the sensor: what README's table names, and nothing else. */}}
{{- define "lanner.securityContext" -}}
runAsUser: 0
runAsGroup: 0
privileged: false
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
  add: [BPF, PERFMON, SETUID, SETGID, KILL, SYS_PTRACE, DAC_READ_SEARCH]
{{- end }}

{{- define "lanner.podSecurityContext" -}}
# tokens of the pod are readable for the agent's group
fsGroup: 65534
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  {{- toYaml .Values.seccompProfile | nindent 2 }}
{{- with .Values.seLinuxType }}
seLinuxOptions:
  type: {{ . }}
{{- end }}
{{- end }}

{{- define "lanner.environment" -}}
- name: LANNER_NODE
  valueFrom: {fieldRef: {fieldPath: spec.nodeName}}
{{- if .Values.kinesis.fips }}
- {name: AWS_USE_FIPS_ENDPOINT, value: "true"}
{{- end }}
{{- end }}

{{- define "lanner.mounts" -}}
- {name: config, mountPath: /etc/lanner, readOnly: true}
{{- if .Values.rules.files }}
- {name: rules, mountPath: /etc/lanner-rules, readOnly: true}
{{- end }}
- {name: identity, mountPath: /var/run/secrets/lanner, readOnly: true}
# names of the node's users
- {name: passwd, mountPath: /etc/passwd, readOnly: true}
- {name: group, mountPath: /etc/group, readOnly: true}
{{- if eq .Values.mode "stream" }}
- {name: spool, mountPath: {{ dir .Values.spool.hostPath }}}
{{- end }}
{{- end }}

{{- define "lanner.volumes" -}}
- name: config
  configMap: {name: {{ .Release.Name }}}
{{- if .Values.rules.files }}
- name: rules
  configMap: {name: {{ .Release.Name }}-rules}
{{- end }}
- name: identity
  projected:
    sources:
      - serviceAccountToken: {audience: lanner, expirationSeconds: 3600, path: token}
- name: passwd
  hostPath: {path: /etc/passwd, type: File}
- name: group
  hostPath: {path: /etc/group, type: File}
{{- if eq .Values.mode "stream" }}
- name: spool
  hostPath: {path: {{ dir .Values.spool.hostPath }}, type: DirectoryOrCreate}
{{- end }}
{{- end }}

{{- define "lanner.placement" -}}
serviceAccountName: {{ .Values.serviceAccount.name }}
# processes of the node are known by its numbers
hostPID: true
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  {{- include "lanner.podSecurityContext" . | nindent 2 }}
{{- end }}
