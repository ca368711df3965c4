#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes the three roles and the database of a city-size installation, from the addresses in the secrets.
# The PostgreSQL image runs it once, when its volume is new.
set -euo pipefail

# postgresql+psycopg://user:password@host[:port]/name
part() { sed -E "s#^[^:]+://([^:]+):([^@]+)@[^/]+/(.+)\$#\\$2#" "/run/secrets/$1"; }

for secret in cunzheng_owner_database cunzheng_database cunzheng_sequencer_database; do
    psql -q --set=ON_ERROR_STOP=1 --set=role="$(part "$secret" 1)" --set=password="$(part "$secret" 2)" --username postgres <<'SQL'
CREATE ROLE :"role" LOGIN PASSWORD :'password';
SQL
done
psql -q --set=ON_ERROR_STOP=1 --set=name="$(part cunzheng_owner_database 3)" --set=owner="$(part cunzheng_owner_database 1)" --username postgres <<'SQL'
CREATE DATABASE :"name" OWNER :"owner";
SQL
