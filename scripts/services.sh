#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The real parts of a city-size installation, natively and on loopback: PostgreSQL, RabbitMQ, an S3 server
# with object lock, Elasticsearch. Versions are pinned; what was built or fetched once is kept. PostgreSQL and
# RabbitMQ are Debian's, so only their series are: another one is refused, unless CUNZHENG_SERVICES_UNPINNED is
# set; then it is used with a warning.
#
# Usage: services.sh start [NAME...] | stop [NAME...] | status | environment | pid NAME | disk BYTES
# Without a name `start` and `stop` mean all; `start` prints the names of what it started, `pid` the main process.
# `disk` makes a file system of that size, in memory and for the servers' user alone, prints where it is, and
# keeps it as long as standard input stays open; a line `fill` there fills it up, a line `free` ends that.
# A `start` that fails stops again what it started.
# CUNZHENG_SERVICES names another folder, CUNZHENG_SERVICES_DATA another place for the servers' data,
# CUNZHENG_SERVICES_BUILT where programs were built, and each …_PORT below may be set: that makes further
# servers beside those that run. POSTGRESQL_OPTIONS and ELASTICSEARCH_JAVA are further options of PostgreSQL and of
# Elasticsearch's Java.
set -euo pipefail
cd "$(dirname "$0")/.."

BASE=${CUNZHENG_SERVICES:-/var/tmp/cunzheng-services-$(id -u)}
ALL=(postgresql rabbitmq minio elasticsearch)
DATA=${CUNZHENG_SERVICES_DATA:-$BASE}
BUILT=${CUNZHENG_SERVICES_BUILT:-$BASE}
OWNER=cunzheng-services
# Below those that the kernel gives to clients (net.ipv4.ip_local_port_range, from 32768): a connection of anybody
# that ended a minute ago still keeps a server off the port that it left from.
: "${POSTGRESQL_PORT:=21432}" "${RABBITMQ_PORT:=21672}" "${RABBITMQ_PEER_PORT:=21673}" "${EPMD_PORT:=21674}"
: "${MINIO_PORT:=21900}" "${ELASTICSEARCH_PORT:=21920}" "${ELASTICSEARCH_PEER_PORT:=21930}"
POSTGRESQL_SERIES=15
RABBITMQ_SERIES=3.10
MINIO_VERSION=v0.0.0-20260212201848-7aac2a2c5b7c
ELASTICSEARCH_VERSION=8.19.9
PATH=$PATH:/usr/sbin:/sbin

say() { echo "services: $*" >&2; }

# The servers refuse to run as root, so root runs them as a system user that owns nothing else.
as_owner() {
    local home=(env -i "HOME=$BASE/home" "PATH=/usr/local/bin:/usr/bin:/bin" LANG=C.UTF-8)
    if ((EUID == 0)); then
        setpriv --reuid="$OWNER" --regid="$OWNER" --clear-groups -- "${home[@]}" "$@"
    else
        "${home[@]}" "$@"
    fi
}

own() { ((EUID != 0)) || chown -R "$OWNER:$OWNER" "$@"; }

# Where root may not write (a file system of the servers' own user) that user makes the folder.
data_folder() {
    [[ -d $DATA/$1 ]] || { mkdir "$DATA/$1" 2>/dev/null && own "$DATA/$1"; } || as_owner mkdir "$DATA/$1"
}

in_background() {
    local name=$1
    shift
    # shellcheck disable=SC2016 # expanded by the inner shell, whose id is that of the server it becomes
    as_owner setsid sh -c 'echo $$ >"$1"; cd "$2"; shift 2; exec "$@"' sh "$BASE/run/$name.pid" "$BASE/run" "$@" \
        </dev/null >>"$BASE/log/$name.log" 2>&1 9>&- &
    disown
}

wait_for() {
    local name=$1 seconds=$2 end
    end=$((SECONDS + seconds))
    until "answers_$name"; do
        if ((SECONDS > end)) || ended "$name"; then
            say "$name does not answer; its log: $BASE/log/$name.log"
            tail -n 20 "$BASE/log/$name.log" >&2 || true
            return 1
        fi
        sleep 0.3
    done
}

prepare_folder() {
    umask 022
    mkdir -p "$BASE"/{home,log,run,secrets} "$BUILT/bin"
    [[ -d $DATA ]] || mkdir -p "$DATA"
    if ((EUID == 0)) && ! id "$OWNER" >/dev/null 2>&1; then
        useradd --system --no-create-home --home-dir "$BASE/home" --shell /usr/sbin/nologin "$OWNER"
    fi
    local name
    for name in postgresql rabbitmq minio; do
        [[ -s $BASE/secrets/$name ]] || (umask 077 && od -An -N24 -tx1 /dev/urandom | tr -d ' \n' >"$BASE/secrets/$name")
    done
    for name in "${ALL[@]}"; do
        touch "$BASE/log/$name.log"
    done
    own "$BASE/home" "$BASE/log" "$BASE/run"
}

secret() { cat "$BASE/secrets/$1"; }

# Another series than the tests were seen to pass on: a green run would say nothing about the one that is meant.
require_series() {
    local name=$1 wanted=$2 found=$3
    [[ $found == "$wanted" || $found == "$wanted".* ]] && return
    if [[ -n ${CUNZHENG_SERVICES_UNPINNED:-} ]]; then
        say "warning: $name $wanted is pinned, ${found:-none} is used"
    else
        say "$name $wanted is pinned and ${found:-none} is installed; CUNZHENG_SERVICES_UNPINNED=1 uses it all the same"
        return 1
    fi
}

note() {
    case $1 in
    postgresql) echo "$DATA/postgresql/postmaster.pid" ;;
    *) echo "$BASE/run/$1.pid" ;;
    esac
}

main_process() { head -n 1 "$(note "$1")"; }

# A note from before a restart of the machine may name anybody's process by now, one of the servers' too: a
# process that began after the note was written is not the one that it names.
lives() {
    local pid age user=$EUID
    pid=$(main_process "$1" 2>/dev/null) || return
    ((EUID != 0)) || user=$(id -u "$OWNER")
    [[ -n $pid && $(stat -c %u "/proc/$pid" 2>/dev/null) == "$user" ]] || return
    age=$(ps -o etimes= -p "$pid") && (($(date +%s) - age <= $(stat -c %Y "$(note "$1")") + 2))
}

# Some note their process only after a while: without a note it may be on its way.
ended() { main_process "$1" >/dev/null 2>&1 && ! lives "$1"; }

# --- PostgreSQL ---------------------------------------------------------------------------------------
postgresql_bin() {
    local newest=/usr/lib/postgresql/$POSTGRESQL_SERIES/bin
    [[ -d $newest ]] || newest=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
    echo "$newest"
}

check_postgresql() { require_series PostgreSQL "$POSTGRESQL_SERIES" "$(basename "$(dirname "$(postgresql_bin)")")"; }

answers_postgresql() { "$(postgresql_bin)/pg_isready" -q -h 127.0.0.1 -p "$POSTGRESQL_PORT"; }

start_postgresql() {
    local bin
    bin=$(postgresql_bin)
    # What a loss of power left of data that were never synced is worth nothing.
    if [[ ${POSTGRESQL_OPTIONS:-} == *fsync=off* && $DATA != "$BASE" && -e $(note postgresql) ]]; then
        as_owner rm -rf "$DATA/postgresql"
    fi
    if [[ ! -d $DATA/postgresql ]]; then
        install -m 0600 "$BASE/secrets/postgresql" "$BASE/run/postgresql.password"
        own "$BASE/run"
        data_folder postgresql.new
        as_owner "$bin/initdb" -D "$DATA/postgresql.new" --username=postgres --auth=scram-sha-256 \
            --pwfile="$BASE/run/postgresql.password" --encoding=UTF8 --locale=C.UTF-8 --data-checksums --wal-segsize="${POSTGRESQL_SEGMENT:-16}" >>"$BASE/log/postgresql.log"
        rm "$BASE/run/postgresql.password"
        mv "$DATA/postgresql.new" "$DATA/postgresql" 2>/dev/null || as_owner mv "$DATA/postgresql.new" "$DATA/postgresql"
    fi
    # PostgreSQL refuses to start while a process lives, or waits for being reaped, whose number an outlived
    # note or the lock of its socket holds.
    [[ ! -d /proc/$(main_process postgresql 2>/dev/null) ]] || as_owner rm -f "$(note postgresql)"
    as_owner rm -f "$BASE/run/.s.PGSQL.$POSTGRESQL_PORT.lock"
    # After a machine that went down with it, it recovers first: `syncfs` instead of a look at each file of what
    # may be thousands of tables, and time for the rest.
    as_owner "$bin/pg_ctl" -D "$DATA/postgresql" -l "$BASE/log/postgresql.log" -s -t 300 start \
        -o "-p $POSTGRESQL_PORT -c recovery_init_sync_method=syncfs -c listen_addresses=127.0.0.1 -c unix_socket_directories=$BASE/run -c max_connections=200 -c shared_buffers=256MB ${POSTGRESQL_OPTIONS:-}" 9>&-
}

stop_postgresql() { as_owner "$(postgresql_bin)/pg_ctl" -D "$DATA/postgresql" -s -m fast stop; }

# --- RabbitMQ -----------------------------------------------------------------------------------------
rabbitmq() {
    local tool=$1
    shift
    as_owner env RABBITMQ_NODENAME=cunzheng@localhost RABBITMQ_NODE_IP_ADDRESS=127.0.0.1 \
        "RABBITMQ_NODE_PORT=$RABBITMQ_PORT" "RABBITMQ_DIST_PORT=$RABBITMQ_PEER_PORT" \
        "ERL_EPMD_PORT=$EPMD_PORT" ERL_EPMD_ADDRESS=127.0.0.1 \
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-kernel inet_dist_use_interface {127,0,0,1}" \
        "RABBITMQ_MNESIA_BASE=$DATA/rabbitmq" "RABBITMQ_LOG_BASE=$BASE/log" \
        "RABBITMQ_CONFIG_FILE=$BASE/rabbitmq.conf" "RABBITMQ_ENABLED_PLUGINS_FILE=$DATA/rabbitmq/plugins" \
        "RABBITMQ_PID_FILE=$BASE/run/rabbitmq.pid" "/usr/lib/rabbitmq/bin/$tool" "$@"
}

check_rabbitmq() {
    local server
    server=$(ls -d /usr/lib/rabbitmq/lib/rabbitmq_server-* 2>/dev/null | sort -V | tail -n 1)
    require_series RabbitMQ "$RABBITMQ_SERIES" "${server##*-}"
}

# As a client begins: the server's first frame. Erlang's own tools take seconds of processor for each look.
answers_rabbitmq() {
    local first=
    {
        exec 8<>"/dev/tcp/127.0.0.1/$RABBITMQ_PORT" || return
        printf 'AMQP\0\0\11\1' >&8
        IFS= read -r -n 1 -t 5 first <&8
        exec 8>&-
    } 2>/dev/null
    [[ $first == $'\1' ]]
}

start_rabbitmq() {
    data_folder rabbitmq
    # What a city-size installation runs with, and a user of ours.
    {
        cat scripts/compose/rabbitmq.conf
        printf 'default_user = cunzheng\ndefault_pass = %s\nlog.file.level = warning\n' "$(secret rabbitmq)"
    } >"$BASE/rabbitmq.conf"
    chmod 0600 "$BASE/rabbitmq.conf" && own "$BASE/rabbitmq.conf"
    rabbitmq rabbitmq-server -detached >>"$BASE/log/rabbitmq.log" 2>&1 9>&-
}

stop_rabbitmq() {
    rabbitmq rabbitmqctl -q stop "$BASE/run/rabbitmq.pid" >>"$BASE/log/rabbitmq.log" 2>&1
    as_owner env "ERL_EPMD_PORT=$EPMD_PORT" epmd -kill >/dev/null 2>&1 || true
}

# --- MinIO (the last published server, for tests; docker-compose.yml names a maintained one) ----------------
answers_minio() { curl -fsS -o /dev/null "http://127.0.0.1:$MINIO_PORT/minio/health/live" 2>/dev/null; }

start_minio() {
    if [[ ! -x $BUILT/bin/minio-$MINIO_VERSION ]]; then
        say "building MinIO $MINIO_VERSION (some minutes, once)"
        GOBIN=$BUILT/bin/build "$(scripts/go.sh)" install "github.com/minio/minio@$MINIO_VERSION" >>"$BASE/log/minio.log" 2>&1
        mv "$BUILT/bin/build/minio" "$BUILT/bin/minio-$MINIO_VERSION"
    fi
    data_folder minio
    in_background minio env MINIO_ROOT_USER=cunzheng "MINIO_ROOT_PASSWORD=$(secret minio)" MINIO_BROWSER=off \
        "$BUILT/bin/minio-$MINIO_VERSION" server "$DATA/minio" --address "127.0.0.1:$MINIO_PORT" --quiet
}

stop_minio() { stop_process minio; }

# --- Elasticsearch ------------------------------------------------------------------------------------
answers_elasticsearch() {
    curl -fsS -o /dev/null "http://127.0.0.1:$ELASTICSEARCH_PORT/_cluster/health?wait_for_status=yellow&timeout=1s" 2>/dev/null
}

start_elasticsearch() {
    local home=$BUILT/elasticsearch-$ELASTICSEARCH_VERSION java
    if [[ ! -d $home ]]; then
        say "fetching Elasticsearch $ELASTICSEARCH_VERSION"
        mvn -q -B -ntp -Dstyle.color=never org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy -DoutputDirectory="$BUILT/bin" \
            -Dartifact="org.elasticsearch.distribution.integ-test-zip:elasticsearch:$ELASTICSEARCH_VERSION:zip" >&2
        rm -rf "$BUILT/bin/unpacked"
        "$PYTHON" -c 'import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extractall(sys.argv[2])' \
            "$BUILT/bin/elasticsearch-$ELASTICSEARCH_VERSION.zip" "$BUILT/bin/unpacked"
        chmod -R u+x,go+rX "$BUILT/bin/unpacked"
        find "$BUILT/bin/unpacked" -path '*/bin/*' -type f -exec chmod 0755 {} +
        mv "$BUILT/bin/unpacked"/* "$home"
    fi
    data_folder elasticsearch
    own "$home"
    java=$(dirname "$(dirname "$(readlink -f "$(command -v java)")")")
    in_background elasticsearch env "ES_JAVA_HOME=$java" "ES_TMPDIR=$BASE/run" "CLI_JAVA_OPTS=${ELASTICSEARCH_JAVA:-}" \
        "ES_JAVA_OPTS=-Xms${ELASTICSEARCH_HEAP:-512m} -Xmx${ELASTICSEARCH_HEAP:-512m} ${ELASTICSEARCH_JAVA:-}" "$home/bin/elasticsearch" \
        -E discovery.type=single-node -E xpack.security.enabled=false -E xpack.ml.enabled=false \
        -E "http.port=$ELASTICSEARCH_PORT" -E "transport.port=$ELASTICSEARCH_PEER_PORT" -E http.host=127.0.0.1 \
        -E "path.data=$DATA/elasticsearch" -E "path.logs=$BASE/log" \
        -E cluster.routing.allocation.disk.watermark.low=2gb -E cluster.routing.allocation.disk.watermark.high=1gb \
        -E cluster.routing.allocation.disk.watermark.flood_stage=500mb
}

stop_elasticsearch() { stop_process elasticsearch; }

# --- all ----------------------------------------------------------------------------------------------
stop_process() {
    local pid end=$((SECONDS + 30))
    pid=$(cat "$BASE/run/$1.pid")
    kill -- "-$pid" 2>/dev/null || return 0
    while kill -0 -- "-$pid" 2>/dev/null; do
        ((SECONDS < end)) || kill -9 -- "-$pid" 2>/dev/null || true
        sleep 0.2
    done
}

# One that does not answer yet may not hear that it is asked to stop. RabbitMQ may not have noted its process.
end_started() {
    local name file
    for name in "$@"; do
        say "stopping $name again"
        if lives "$name"; then "stop_$name" || true; fi
        if lives "$name"; then kill -9 -- "$(main_process "$name")" || true; fi
        [[ $name == rabbitmq ]] || continue
        for file in $(grep -lsz "^RABBITMQ_PID_FILE=$BASE/run/rabbitmq.pid\$" /proc/[0-9]*/environ); do
            kill -9 "$(basename "$(dirname "$file")")" 2>/dev/null || true
        done
    done
}

PYTHON=$(command -v python3)
case ${1:-} in
start)
    shift
    (($#)) || set -- "${ALL[@]}"
    scripts/system-packages.sh postgresql rabbitmq-server curl procps:ps default-jre-headless:java maven:mvn >&2
    prepare_folder
    # Two starts at once would both build, make and start the same; a child that kept the lock would keep it for ever.
    exec 9>"$BASE/lock"
    flock 9
    started=() awaited=()
    trap '(($? == 0)) || end_started ${started[@]+"${started[@]}"}' EXIT
    for name in "$@"; do
        if declare -F "check_$name" >/dev/null; then "check_$name"; fi
    done
    for name in "$@"; do
        "answers_$name" && continue
        awaited+=("$name")
        # What somebody else is starting is theirs to stop.
        if lives "$name"; then continue; fi
        rm -f "$BASE/run/$name.pid"
        started+=("$name")
        "start_$name"
    done
    for name in ${awaited[@]+"${awaited[@]}"}; do
        wait_for "$name" 120
    done
    for name in ${started[@]+"${started[@]}"}; do
        say "$name answers"
        echo "$name"
    done
    ;;
stop)
    shift
    (($#)) || set -- "${ALL[@]}"
    for name in "$@"; do
        if "answers_$name" || lives "$name"; then "stop_$name"; fi
    done
    ;;
disk)
    scripts/system-packages.sh bubblewrap:bwrap >&2
    prepare_folder
    mkdir -p "$BASE/disk"
    # shellcheck disable=SC2016 # expanded by the inner shell, through whose root others reach the mount
    as_owner bwrap --dev-bind / / --size "$2" --tmpfs "$BASE/disk" -- sh -c '
        echo "/proc/$$/root$1"
        while read -r word; do
            case $word in
            fill) cat /dev/zero >"$1/ballast" 2>/dev/null || true ;;
            free) rm -f "$1/ballast" ;;
            esac
            echo "$word"
        done' sh "$BASE/disk"
    ;;
pid)
    main_process "${2:-}"
    ;;
status)
    for name in "${ALL[@]}"; do
        if "answers_$name"; then echo "$name answers"; else echo "$name does not answer"; fi
    done
    ;;
environment)
    cat <<END
CUNZHENG_TEST_POSTGRESQL=postgresql+psycopg://postgres:$(secret postgresql)@127.0.0.1:$POSTGRESQL_PORT/postgres
CUNZHENG_TEST_RABBITMQ=amqp://cunzheng:$(secret rabbitmq)@127.0.0.1:$RABBITMQ_PORT//
CUNZHENG_TEST_S3=http://cunzheng:$(secret minio)@127.0.0.1:$MINIO_PORT
CUNZHENG_TEST_ELASTICSEARCH=http://127.0.0.1:$ELASTICSEARCH_PORT
END
    ;;
*)
    sed -n '7,19s/^# //p' "$0" >&2
    exit 64
    ;;
esac
