#!/bin/bash
# Builds the Dockerfile's cpu target and runs it, where no registry and no Docker engine can be reached: as root, with Debian's
# debootstrap, buildah, podman and runc, and this machine's .NET SDK.
#
#   deploy/images/prove.sh [FOLDER]
#
# A Debian made by debootstrap, with .NET beside it, takes the place of the images that the Dockerfile begins from, under their names.
# So it proves the Dockerfile's steps and what the container does, not the vendor's images. All that it makes is in FOLDER, by default
# /var/tmp/dera-images; a second run begins with the first one's.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$(realpath -m "${1:-/var/tmp/dera-images}")
mkdir -p "$work"

export CONTAINERS_STORAGE_CONF=$work/storage.conf BUILDAH_ISOLATION=oci BUILDAH_RUNTIME=runc TMPDIR=$work
printf '[storage]\ndriver = "overlay"\ngraphroot = "%s/storage"\nrunroot = "%s/run"\n' "$work" "$work" > "$CONTAINERS_STORAGE_CONF"
container=dera-prove-$$
podman() { command podman --log-level fatal --runtime runc "$@"; }
trap 'podman rm --force --time 0 --volumes "$container" >/dev/null 2>&1 || true' EXIT

say() { printf '\n== %s\n' "$*"; }
inside() { podman exec "$container" "$@"; }
fail() { echo "failed: $*" >&2; exit 1; }
mib() { awk '{printf "%.0f MiB\n", $1 / 1048576}'; }

say "the images that the Dockerfile begins from"
dotnet=$(dirname "$(realpath "$(command -v dotnet)")")
if [ ! -e "$work/debian.tar" ]; then
    debootstrap --variant=minbase --include=ca-certificates,libicu76,libstdc++6,openssl,tzdata trixie "$work/debian" >"$work/debootstrap.log"
    chroot "$work/debian" useradd --uid 1654 --create-home app
    ln -s ../share/dotnet/dotnet "$work/debian/usr/bin/dotnet"
    tar -C "$work/debian" --exclude=./var/cache/apt/archives --exclude=./var/lib/apt/lists -cf "$work/debian.tar" .
    rm -rf "$work/debian"
fi
base() { # NAME FOLDER…: the image NAME, Debian with these folders of the SDK
    local name=$1
    shift
    if ! podman image exists "$name"; then
        cp "$work/debian.tar" "$work/base.tar"
        tar -C "$dotnet" --transform 's,^,usr/share/dotnet/,' -rf "$work/base.tar" "$@"
        podman import --quiet --change ENV=APP_UID=1654 --change ENV=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
            "$work/base.tar" "$name" >/dev/null
        rm "$work/base.tar"
    fi
    echo "$name: $(podman image inspect --format '{{.Size}}' "$name" | mib)"
}
mapfile -t names < <(sed -n 's/^FROM \([^ ]*\/dotnet\/[^ ]*\) .*/\1/p' Dockerfile)
base "${names[0]}" .
base "${names[1]}" dotnet host shared/Microsoft.NETCore.App shared/Microsoft.AspNetCore.App

say "buildah build --target cpu"
# The machine's certificates and package sources, for the restore; the image keeps none of them.
mounts=()
for folder in /etc/ssl/certs /usr/share/ca-certificates /usr/local/share/ca-certificates "$HOME/.nuget/NuGet"; do
    [ ! -d "$folder" ] || mounts+=(--volume "$folder:$folder:ro")
done
buildah build --format docker --layers --pull-never --network host "${mounts[@]}" --target cpu --tag dera:cpu . >"$work/build.log" 2>&1 ||
    { tail -n 30 "$work/build.log"; fail "the build; all of its output is in $work/build.log"; }
grep -E '^(STEP|\[[0-9]/[0-9]\] STEP)' "$work/build.log"
echo "dera:cpu: $(podman image inspect --format '{{.Size}}' dera:cpu | mib), of which /app:"
run=(--network none --read-only --tmpfs /tmp --cap-drop all --security-opt no-new-privileges
    --ulimit nofile=4096:4096 --ulimit nproc=4096:4096)
podman run --rm "${run[@]}" --entrypoint /bin/bash dera:cpu -c 'du -sm /app; du -am /app | sort -rn | sed -n 2,6p'

say "podman run ${run[*]} dera:cpu"
podman run --detach --name "$container" "${run[@]}" dera:cpu >/dev/null
tries=0
until inside dera-probe /readyz 2>/dev/null; do
    [ "$((tries++))" -lt 120 ] || { podman logs "$container"; fail "it does not become ready"; }
    sleep 1
done
podman logs "$container" 2>&1 | tail -n 2
echo "user $(inside id -u), capabilities $(inside sed -n 's/^CapEff:\s*//p' /proc/1/status)"
! inside touch /app/written 2>&1 || fail "the root can be written"
inside touch /tmp/written
inside dera-probe /livez && echo "/livez and /readyz: 200"
podman healthcheck run "$container" && echo "the image's own health check: healthy"

post() { # JSON: sends it to /v1/completions
    inside bash -c 'exec 3<>/dev/tcp/127.0.0.1/8080
        printf "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${#1}\r\n\r\n%s" "$1" >&3
        cat <&3' post "$1"
}
say "a request"
post '{"prompt": "Once upon a time", "max_tokens": 20, "seed": 1, "alignment_strength": 0.5}' | grep -o '"text":"[^"]*"'

say "SIGTERM in the middle of a stream"
: >"$work/stream"
post '{"prompt": "Once upon a time", "n": 8, "max_tokens": 480, "ignore_eos": true, "seed": 1, "stream": true}' >"$work/stream" &
stream=$!
until grep -q '^data:' "$work/stream"; do
    kill -0 "$stream" || fail "the stream: $(cat "$work/stream")"
    sleep 0.1
done
podman kill --signal TERM "$container" >/dev/null
# New requests are refused while the stream goes on.
until [ "${status:-}" = 503 ]; do
    status=$(inside bash -c 'exec 3<>/dev/tcp/127.0.0.1/8080
        printf "GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" >&3
        read -r _ status _ <&3 && echo "$status"') || fail "it ended before it was seen to drain"
done
echo "/readyz: $status"
wait "$stream"
grep -q '^data: \[DONE\]' "$work/stream" || fail "the stream was cut off"
echo "the stream came whole: $(grep -c '^data: {' "$work/stream") events, then [DONE]"
code=$(podman wait "$container")
echo "exit code $code"
[ "$code" = 0 ] || fail "the server ended with $code"

say "dera, and the init container's command"
podman run --rm "${run[@]}" --entrypoint /app/dera dera:cpu --version
podman run --rm "${run[@]}" --entrypoint /app/dera dera:cpu pull --help | grep -A 1 '^Usage:'

say "SBOM"
[ -x "$work/tools/dotnet-CycloneDX" ] || dotnet tool install --tool-path "$work/tools" CycloneDX --version 6.3.1 >/dev/null
version=$(sed -n 's/.*<VersionPrefix>\(.*\)<.*/\1/p' Directory.Build.props)
for program in DeRa.Server DeRa.Cli; do
    "$work/tools/dotnet-CycloneDX" "src/$program/$program.csproj" --output "$work" --filename "$program.cdx.json" --output-format Json \
        --set-name "$program" --set-version "$version" >"$work/sbom.log" || { tail "$work/sbom.log"; fail "the SBOM of $program"; }
    echo "$program.cdx.json: CycloneDX $(sed -n 's/.*"specVersion": "\(.*\)".*/\1/p' "$work/$program.cdx.json")," \
        "$(grep -c '"purl"' "$work/$program.cdx.json") packages"
done
