{{- define "dera.hubEnvironment" -}}
- name: HF_HOME
  value: /huggingface
{{- if .Values.models.hub.endpoint }}
- name: HF_ENDPOINT
  value: {{ .Values.models.hub.endpoint | quote }}
{{- end }}
{{- if .Values.models.hub.tokenSecret }}
- name: HF_TOKEN
  valueFrom:
    secretKeyRef:
      name: {{ .Values.models.hub.tokenSecret }}
      key: {{ .Values.models.hub.tokenSecretKey }}
{{- end }}
{{- end -}}

{{- define "dera.podSecurity" -}}
runAsNonRoot: true
runAsUser: 1654
runAsGroup: 1654
fsGroup: 1654
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "dera.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{- define "dera.probe" -}}
httpGet:
  path: {{ .path }}
  port: http
  scheme: {{ if .root.Values.tlsSecret }}HTTPS{{ else }}HTTP{{ end }}
timeoutSeconds: 5
{{- end -}}

{{- define "dera.arguments" -}}
- --host=0.0.0.0
- --http-port={{ .Values.ports.http }}
- --grpc-port={{ .Values.ports.grpc }}
- --drain-seconds={{ .Values.drain.drainSeconds }}
- --log-format=json
{{- with .Values.models.reference }}
- {{ printf "--reference=%s" . | quote }}
{{- end }}
{{- range .Values.models.aligned }}
- {{ printf "--aligned=%s" . | quote }}
{{- end }}
{{- with .Values.models.name }}
- {{ printf "--name=%s" . | quote }}
{{- end }}
{{- if .Values.apiKeysSecret }}
- --api-keys=/etc/dera/api-keys/keys
{{- end }}
{{- if .Values.tlsSecret }}
- --tls-certificate=/etc/dera/tls/tls.crt
- --tls-key=/etc/dera/tls/tls.key
{{- end }}
{{- range $name, $value := .Values.options }}
{{- if kindIs "slice" $value }}
{{- range $value }}
- {{ printf "--%s=%v" $name . | quote }}
{{- end }}
{{- else }}
- {{ printf "--%s=%v" $name $value | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "dera.mounts" -}}
- name: tmp
  mountPath: /tmp
- name: huggingface
  mountPath: /huggingface
{{- if .Values.models.volume }}
- name: models
  mountPath: /models
  readOnly: true
{{- end }}
{{- if .Values.apiKeysSecret }}
- name: api-keys
  mountPath: /etc/dera/api-keys
  readOnly: true
{{- end }}
{{- if .Values.tlsSecret }}
- name: tls
  mountPath: /etc/dera/tls
  readOnly: true
{{- end }}
{{- end -}}

{{- define "dera.volumes" -}}
- name: tmp
  emptyDir: {}
- name: huggingface
  {{- if .Values.models.hub.cache }}
  {{- toYaml .Values.models.hub.cache | nindent 2 }}
  {{- else }}
  emptyDir: {}
  {{- end }}
{{- with .Values.models.volume }}
- name: models
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.apiKeysSecret }}
- name: api-keys
  secret:
    secretName: {{ . }}
{{- end }}
{{- with .Values.tlsSecret }}
- name: tls
  secret:
    secretName: {{ . }}
{{- end }}
{{- end -}}
