#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes every file of secrets that docker-compose.yml names, with random values. What is there is kept, so it
# may be repeated; owner and mode are set each time. The keys of auditor, destroyer and holder go to the folder
# `offline` in it, and only when there is none.
#
# Usage: compose-secrets.sh [FOLDER]                  make what is missing (default ./secrets)
#        compose-secrets.sh replace NAME [FOLDER]     take a new password for NAME from standard input, one line
#
# Owner and mode: a container sees such a file with the owner and mode that it has here. Two users must read
# one, ours (10001) and the server's own (999 for PostgreSQL and RabbitMQ), so a mode of 0600 would lock one of
# them out. They share the group 10001 instead: files are 0440, owned by who runs this (root) and that group.
# No process in a container can change them, and which container sees which file is what the compose file says.
# CUNZHENG_SECRETS_GROUP names the group's number on this machine where an engine maps users to others.
set -euo pipefail
export LC_ALL=C
umask 077
GROUP=${CUNZHENG_SECRETS_GROUP:-10001}
DATABASES=(cunzheng_owner_database cunzheng_database cunzheng_sequencer_database)

fail() {
    echo "compose-secrets: $*" >&2
    exit 1
}

random() { od -An -N"${1:-24}" -tx1 /dev/urandom | tr -d ' \n'; }

# A password as it stands in an address: everything but letters, digits and -._~ as %XX.
encode() {
    local text=$1 index character
    for ((index = 0; index < ${#text}; index++)); do
        character=${text:index:1}
        case $character in
        [a-zA-Z0-9._~-]) printf '%s' "$character" ;;
        *) printf '%%%02X' "$(($(printf '%d' "'$character") & 255))" ;;
        esac
    done
}

# Under another name first: nobody ever reads half a secret, and a run that ends half-way leaves none.
write() (
    file=$FOLDER/$1
    mkdir -p "$(dirname "$file")"
    trap 'rm -f "$file.new"' EXIT
    cat >"$file.new"
    own "$file.new" 0440
    mv "$file.new" "$file"
    echo "$1"
)

own() {
    chgrp "$GROUP" "$1" 2>/dev/null || fail "only root, or a member of group $GROUP, can give $1 to that group"
    chmod "$2" "$1"
}

make() {
    local name=$1
    if [[ -e $FOLDER/$name ]]; then
        own "$FOLDER/$name" 0440
    else
        write "$name"
    fi
}

broker_files() {
    printf 'default_user = cunzheng\ndefault_pass = %s\ndefault_vhost = cunzheng\n' "$1" | write rabbitmq.conf
    printf 'amqp://cunzheng:%s@broker:5672/cunzheng' "$(encode "$1")" | write cunzheng_broker
}

key() {
    make "$1_access_key" < <(random 10)
    make "$1_secret_key" < <(random)
}

make_all() {
    local role
    mkdir -p "$FOLDER"
    make postgresql < <(random)
    make cunzheng_owner_database < <(printf 'postgresql+psycopg://cunzheng_owner:%s@database:5432/cunzheng' "$(random)")
    make cunzheng_database < <(printf 'postgresql+psycopg://cunzheng_application:%s@database:5432/cunzheng' "$(random)")
    make cunzheng_sequencer_database < <(printf 'postgresql+psycopg://cunzheng_sequencer:%s@database:5432/cunzheng' "$(random)")
    if [[ -e $FOLDER/rabbitmq.conf && -e $FOLDER/cunzheng_broker ]]; then
        own "$FOLDER/rabbitmq.conf" 0440
        own "$FOLDER/cunzheng_broker" 0440
    elif [[ -e $FOLDER/rabbitmq.conf || -e $FOLDER/cunzheng_broker ]]; then
        fail "rabbitmq.conf and cunzheng_broker hold one password; one of them is missing"
    else
        broker_files "$(random)"
    fi
    make minio_root_user < <(printf 'root-%s' "$(random 6)")
    make minio_root_password < <(random)
    key cunzheng_s3
    # Once: who took them offline must not find others in their place.
    if [[ ! -d $FOLDER/offline ]]; then
        for role in auditor destroyer hold; do
            key "offline/cunzheng_s3_$role"
        done
    fi
    own "$FOLDER" 0750
    own "$FOLDER/offline" 0750
}

replace() {
    local name=$1 password address
    [[ -f $FOLDER/$name ]] || fail "there is no $name in $FOLDER"
    IFS= read -r password || [[ -n $password ]] || fail "no password on standard input"
    ((${#password} >= 8)) || fail "a password has 8 characters at least"
    if [[ " ${DATABASES[*]} " == *" $name "* ]]; then
        address=$(<"$FOLDER/$name")
        [[ $address =~ ^([^:]+://[^:]+:)[^@]*(@.*)$ ]] || fail "$name is no address with a password"
        printf '%s%s%s' "${BASH_REMATCH[1]}" "$(encode "$password")" "${BASH_REMATCH[2]}" | write "$name"
        return
    fi
    case $name in
    cunzheng_broker | rabbitmq.conf)
        # Its file of settings would end, or be continued, at others.
        [[ $password =~ ^[a-zA-Z0-9._~-]+$ ]] || fail "the broker's password may hold letters, digits and ._~- only"
        broker_files "$password"
        ;;
    postgresql | minio_root_password | *_secret_key) printf '%s' "$password" | write "$name" ;;
    *) fail "$name is no password" ;;
    esac
}

cd "$(dirname "$0")/.."
case ${1:-} in
replace)
    [[ -n ${2:-} ]] || fail "replace what?"
    FOLDER=${3:-secrets}
    replace "$2"
    ;;
-*)
    sed -n '3,16s/^# \{0,1\}//p' "$0" >&2
    exit 64
    ;;
*)
    FOLDER=${1:-secrets}
    make_all
    ;;
esac
