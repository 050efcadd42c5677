#!/bin/bash
# Succeeds where the server in this container answers GET $1 with 200. The image holds no curl.
set -euo pipefail
exec 3<>"/dev/tcp/127.0.0.1/${DERA_HTTP_PORT:-8080}"
printf 'GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' "$1" >&3
read -r -t 5 _ status _ <&3
[[ $status == 200 ]]
