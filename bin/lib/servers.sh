# shellcheck shell=bash
# Servers of the run's own, in $folder, on ports of 127.0.0.1 that were free: Postgres, Redis, instances of Portico, HAProxy.

folder='' redis='' haproxy=''
# The number of each instance by its process, and its port by its number.
declare -A instances=() ports=()
# Of a script that was killed nothing stays.
mortal=(setpriv --pdeathsig KILL)

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
        "${mortal[@]}" redis-server --bind 127.0.0.1 --port "$port" --save '' --appendonly no --dir "$folder" \
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

# Instance $1 with the settings in the environment, at the port that it had before or at a free one.
start_instance() {
    local number=$1 log=$folder/instance-$1.log instance
    : >"$log"
    PORTICO_BIND=127.0.0.1:${ports[$number]:-0} NO_COLOR=1 "${mortal[@]}" "$PORTICO_BIN" serve </dev/null >"$log" 2>&1 &
    instance=$!
    instances[$instance]=$number
    # Else the shell prints a line of its own about each that is killed.
    disown "$instance"
    while kill -0 "$instance" 2>/dev/null; do
        ports[$number]=$(sed -n 's|^Portico listens on http://127.0.0.1:||p' "$log")
        [[ -z ${ports[$number]} ]] || return 0
        sleep 0.05
    done
    cat "$log" >&2
    die "instance $number does not start"
}

# deploy/haproxy.cfg at port $1, before the instances that run.
start_haproxy() {
    local number log=$folder/haproxy.log servers=''
    for number in "${!ports[@]}"; do servers+="    server $number 127.0.0.1:${ports[$number]}"$'\n'; done
    { grep -v '^ *server ' deploy/haproxy.cfg && printf '%s' "$servers" | sort; } >"$folder/haproxy.cfg"
    PORTICO_LISTEN=127.0.0.1:$1 PORTICO_ADMIN_SOCKET=$folder/haproxy.sock \
        "${mortal[@]}" haproxy -db -f "$folder/haproxy.cfg" </dev/null >"$log" 2>&1 &
    haproxy=$!
    while kill -0 "$haproxy" 2>/dev/null; do
        # It listens at its socket and at its port before it says anything.
        if [[ -S $folder/haproxy.sock ]] && is_taken "$1"; then return; fi
        sleep 0.05
    done
    cat "$log" >&2
    die "HAProxy does not start"
}

# Whether something on this machine answers at port $1.
is_taken() { (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

stop_servers() {
    # What is left of them is of no use to anybody: no farewell.
    if ((${#instances[@]})); then kill -KILL "${!instances[@]}"; fi
    if [[ -n $haproxy ]]; then kill -KILL "$haproxy" && wait "$haproxy"; fi
    if [[ -n $redis ]]; then kill -TERM "$redis" && wait "$redis"; fi
    if [[ -f $folder/postgres/postmaster.pid ]]; then postgres pg_ctl -m immediate stop; fi
}
