# shellcheck shell=bash
# A Postgres and a Redis of the run's own, in $folder, on ports of 127.0.0.1 that were free.

folder='' redis=''

# Debian keeps the server's own commands out of PATH; of several versions the newest is taken.
postgres_bin() {
    local found
    found=$(printf '%s\n' /usr/lib/postgresql/*/bin/initdb | sort -V | tail -n 1)
    if [[ -x $found ]]; then dirname "$found"; elif has initdb; then dirname "$(command -v initdb)"; fi
}

# Postgres refuses to run as root.
postgres() {
    local command=$1 as=()
    shift
    if [[ $(id -u) == 0 ]]; then as=(runuser -u postgres --); fi
    "${as[@]}" "$(postgres_bin)/$command" -D "$folder/postgres" "$@" </dev/null
}

start_postgres() {
    local port options log=$folder/postgres/log
    mkdir -m 700 "$folder/postgres"
    if [[ $(id -u) == 0 ]]; then chown postgres: "$folder/postgres"; fi
    postgres initdb -U postgres -A trust -E UTF8 --locale=C --no-sync >/dev/null
    options="-c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=300"
    # Nothing here outlives the run: no commit waits for the disk.
    options+=" -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
    for _ in {1..20}; do
        port=$((20000 + RANDOM % 12000))
        if postgres pg_ctl -w -t 60 -l "$log" -o "$options -p $port" start >/dev/null 2>&1; then
            export PORTICO_TEST_POSTGRES=postgres://postgres@127.0.0.1:$port/postgres
            return
        fi
    done
    cat "$log" >&2
    die "Postgres does not start"
}

start_redis() {
    local port log=$folder/redis.log
    for _ in {1..20}; do
        port=$((20000 + RANDOM % 12000))
        : >"$log"
        redis-server --bind 127.0.0.1 --port "$port" --save '' --appendonly no --dir "$folder" \
            --logfile "$log" </dev/null >/dev/null 2>&1 &
        redis=$!
        # Asking the port instead would be answered by another run's server, if that one has it.
        while kill -0 "$redis" 2>/dev/null; do
            if grep -q 'Ready to accept' "$log"; then
                export PORTICO_TEST_REDIS=redis://127.0.0.1:$port
                return
            fi
            sleep 0.05
        done
    done
    cat "$log" >&2
    die "Redis does not start"
}

stop_servers() {
    if [[ -n $redis ]]; then kill -TERM "$redis" && wait "$redis"; fi
    if [[ -f $folder/postgres/postmaster.pid ]]; then postgres pg_ctl -m immediate stop; fi
}
