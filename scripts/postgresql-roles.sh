#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes the three roles and the database of a city-size installation, from the addresses in the secrets.
# The PostgreSQL image runs it once, when its volume is new.
#
# The addresses are read as the product reads them: postgresql+psycopg://user:password@host[:port]/name[?options],
# with user, password and name percent-encoded where they hold more than letters and digits.
# CUNZHENG_SECRETS names another folder of secrets than /run/secrets.
set -euo pipefail
export LC_ALL=C

ADDRESS='^[A-Za-z0-9_+]+://([^:/@]+):([^@]+)@(\[[^]/?]+\]|[^]/:?@[]+)(:[0-9]+)?/([^?]+)(\?.*)?$'

refuse() {
    # Never the address: what this prints is kept in the server's log.
    echo "postgresql-roles: $1 is no postgresql+psycopg://user:password@host[:port]/name[?options]: $2" >&2
    exit 1
}

# Percent-encoded text as it is meant; sets REPLY, as a substitution would lose a line's end.
decode() {
    local secret=$1 rest=$2 character
    REPLY=
    while [[ $rest == *%* ]]; do
        REPLY+=${rest%%\%*}
        rest=${rest#*%}
        [[ $rest =~ ^[0-9A-Fa-f]{2} && ${rest:0:2} != 00 ]] || refuse "$secret" "a % without two hexadecimal digits"
        printf -v character '%b' "\\x${rest:0:2}"
        REPLY+=$character
        rest=${rest:2}
    done
    REPLY+=$rest
}

read_address() {
    local text
    text=$(<"${CUNZHENG_SECRETS:-/run/secrets}/$1")
    [[ $text =~ $ADDRESS ]] || refuse "$1" "a part is missing"
    local parts=("${BASH_REMATCH[@]}")
    decode "$1" "${parts[1]}"
    user=$REPLY
    decode "$1" "${parts[2]}"
    password=$REPLY
    decode "$1" "${parts[5]}"
    name=$REPLY
}

# By the environment: everybody on a machine sees command lines.
query() { ROLE=$user PASSWORD=$password NAME=$name psql -q --no-psqlrc --set=ON_ERROR_STOP=1 --username postgres --dbname postgres; }

# All are read before anything is made: a mistake leaves nothing behind that a second run would trip over.
for secret in cunzheng_sequencer_database cunzheng_database cunzheng_owner_database; do
    read_address "$secret"
    [[ ${database:=$name} == "$name" ]] || refuse "$secret" "it names another database than the others"
done

for secret in cunzheng_database cunzheng_sequencer_database cunzheng_owner_database; do
    read_address "$secret"
    query <<'SQL'
\getenv role ROLE
\getenv password PASSWORD
-- A statement that fails would be kept in the server's log, with the password.
SET log_min_error_statement = panic;
CREATE ROLE :"role" LOGIN PASSWORD :'password';
SQL
done
# The owner's was read last.
query <<'SQL'
\getenv role ROLE
\getenv name NAME
CREATE DATABASE :"name" OWNER :"role";
SQL
