#!/bin/bash
# Succeeds where the server in this container answers GET $1 with 200, with TLS or without. The image holds no curl.
set -euo pipefail
port=${DERA_HTTP_PORT:-8080}
request="GET $1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

plain() {
    exec 3<>"/dev/tcp/127.0.0.1/$port"
    printf '%b' "$request" >&3
    read -r -t 5 _ status _ <&3 && echo "$status"
}

# The certificate is not checked: it need not name loopback.
tls() {
    local status
    read -r _ status _ < <(printf '%b' "$request" | timeout 5 openssl s_client -quiet -connect "127.0.0.1:$port" 2>/dev/null) && echo "$status"
}

# A port that speaks TLS gives no status to one who does not.
status=$(plain 2>/dev/null || tls || true)
[[ $status == 200 ]]
