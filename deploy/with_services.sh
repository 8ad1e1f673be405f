#!/usr/bin/env bash
# Run a command with temporary PostgreSQL and Redis servers:  deploy/with_services.sh COMMAND…
# Both use a temporary folder and free ports, and are removed when the command ends.
set -euo pipefail
cd "$(dirname "$0")/.."

main() {
  install_servers
  scratch=$(mktemp -d -t dermascan-services-XXXXXX)
  trap stop_servers EXIT
  start_postgres
  start_redis
  DATABASE_URL="postgres://dermascan@127.0.0.1:$postgres_port/dermascan" \
    REDIS_URL="redis://127.0.0.1:$redis_port/0" \
    DERMASCAN_TEST_SERVICES=1 "$@"
}

install_servers() {
  local missing=()
  [ -n "$(postgres_bin)" ] || missing+=(postgresql)
  command -v redis-server >/dev/null || missing+=(redis-server)
  [ ${#missing[@]} -gt 0 ] || return 0
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    sudo -n true 2>/dev/null || {
      echo "These are missing: ${missing[*]}. Run: sudo apt-get install -y ${missing[*]}" >&2
      exit 1
    }
    as_root=(sudo -n)
  fi
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
}

# Print the folder of the newest server, or nothing.
postgres_bin() {
  local initdb
  initdb=$(compgen -G '/usr/lib/postgresql/*/bin/initdb' | sort -V | tail -n 1) || true
  [ -z "$initdb" ] || dirname "$initdb"
}

free_port() {
  .venv/bin/python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# PostgreSQL refuses to run as root.
as_postgres() {
  if [ "$(id -u)" -eq 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi
}

start_postgres() {
  postgres_port=$(free_port)
  mkdir "$scratch/postgres"
  chmod 711 "$scratch"
  if [ "$(id -u)" -eq 0 ]; then chown postgres "$scratch/postgres"; fi
  local bin data="$scratch/postgres/data"
  bin=$(postgres_bin)
  as_postgres "$bin/initdb" --pgdata "$data" --username dermascan --auth trust --encoding UTF8 --no-sync >/dev/null
  # Durability is off: the data need not survive a power cut.
  as_postgres "$bin/pg_ctl" --pgdata "$data" --wait --log "$scratch/postgres/log" --options \
    "-p $postgres_port -c listen_addresses=127.0.0.1 -c unix_socket_directories=$scratch/postgres -c fsync=off -c full_page_writes=off -c synchronous_commit=off" \
    start >/dev/null || { cat "$scratch/postgres/log" >&2; exit 1; }
  as_postgres "$bin/createdb" --host 127.0.0.1 --port "$postgres_port" --username dermascan dermascan
}

start_redis() {
  redis_port=$(free_port)
  redis-server --bind 127.0.0.1 --port "$redis_port" --save '' --appendonly no --dir "$scratch" >"$scratch/redis.log" &
  redis_pid=$!
  for _ in $(seq 50); do
    redis-cli -p "$redis_port" ping >/dev/null 2>&1 && return
    sleep 0.1
  done
  cat "$scratch/redis.log" >&2
  exit 1
}

stop_servers() {
  [ -z "${redis_pid:-}" ] || kill "$redis_pid" 2>/dev/null || true
  [ ! -d "$scratch/postgres/data" ] ||
    as_postgres "$(postgres_bin)/pg_ctl" --pgdata "$scratch/postgres/data" --mode immediate stop >/dev/null 2>&1 || true
  rm -rf "$scratch"
}

main "$@"
