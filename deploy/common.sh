# What the deployments share: an environment, a folder, a database, and processes that are started and stopped together.
# Sourced by <deployment>/start, check and stop; set -eu, NAME and REPO are set by them.

HOME_DIR="${LACUNA_DEPLOY_HOME:-$REPO/deploy/.home}/$NAME"
VENV="${LACUNA_DEPLOY_VENV:-$REPO/.venv-airflow}"
export AIRFLOW_HOME="$HOME_DIR/airflow"
PORT="${LACUNA_DEPLOY_PORT:-8080}"
mkdir -p "$HOME_DIR/pids" "$HOME_DIR/logs" "$AIRFLOW_HOME/dags"
chmod 700 "$HOME_DIR"

say() { printf '%s\n' "$*" >&2; }

# Airflow, Celery and the drivers of stores as in requirements-airflow.lock, and Lacuna as it lies in this checkout now: a
# copy, so that what runs does not change while somebody edits.
make_venv() {
    make --no-print-directory -C "$REPO" .venv/.boot > /dev/null
    uv="$REPO/.venv/bin/uv"
    if [ ! "$VENV/.done" -nt "$REPO/requirements-airflow.lock" ]; then
        say "Installing the locked packages into $VENV"
        [ -x "$VENV/bin/python" ] || "$REPO/.venv/bin/python" -m venv "$VENV"
        "$uv" pip sync --quiet --python "$VENV/bin/python" --require-hashes \
            "$REPO/requirements-airflow.lock" "$REPO/requirements-boot.lock"
        touch "$VENV/.done"
    fi
    "$uv" pip install --quiet --python "$VENV/bin/python" --no-deps --no-build-isolation --reinstall "$REPO"
}

# A secret that is made once and read by this user alone.
secret() {
    [ -s "$HOME_DIR/$1" ] || (umask 077 && "$VENV/bin/python" -c \
        'import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())' > "$HOME_DIR/$1")
    cat "$HOME_DIR/$1"
}

# The settings that all of Airflow's processes share. Loopback only: whoever wants more puts a proxy with TLS before it.
airflow_environment() {
    export PATH="$VENV/bin:$PATH"
    export AIRFLOW__CORE__DAGS_FOLDER="$AIRFLOW_HOME/dags" AIRFLOW__CORE__LOAD_EXAMPLES=False
    export AIRFLOW__CORE__EXECUTION_API_SERVER_URL="http://127.0.0.1:$PORT/execution/"
    export AIRFLOW__API__BASE_URL="http://127.0.0.1:$PORT" AIRFLOW__API__HOST=127.0.0.1 AIRFLOW__API__PORT="$PORT"
    export AIRFLOW__API__WORKERS=1 AIRFLOW__USAGE_DATA_COLLECTION__ENABLED=False
    export AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT="${LOG_PORT:-8793}"
    AIRFLOW__API_AUTH__JWT_SECRET="$(secret jwt)" AIRFLOW__CORE__FERNET_KEY="$(secret fernet)"
    AIRFLOW__API__SECRET_KEY="$(secret session)"
    export AIRFLOW__API_AUTH__JWT_SECRET AIRFLOW__CORE__FERNET_KEY AIRFLOW__API__SECRET_KEY
    # How soon a dead worker is noticed, and how soon its task is tried again.
    export AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT="${LACUNA_HEARTBEAT_SECONDS:-120}"
    export AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL=10
    export LACUNA_POOL=lacuna LACUNA_RETRY_MINUTES="${LACUNA_RETRY_MINUTES:-2}"
    export AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL=30 GX_ANALYTICS_ENABLED=false
}

# serve NAME COMMAND…: start it in a session of its own, with a log, unless it is there already.
serve() {
    name="$1"; shift
    if running "$name"; then return; fi
    setsid "$@" > "$HOME_DIR/logs/$name.log" 2>&1 < /dev/null &
    echo $! > "$HOME_DIR/pids/$name"
    say "  started $name"
}

# keep NAME COMMAND…: as serve, and start it again whenever it ends: Airflow's scheduler ends where its database is away.
keep() {
    name="$1"; shift
    again='while :; do "$@" || true; echo "ended; it is started again"; sleep "${LACUNA_RESTART_SECONDS:-5}"; done'
    serve "$name" bash -c "$again" keep "$@"
}

running() { [ -s "$HOME_DIR/pids/$1" ] && kill -0 "$(cat "$HOME_DIR/pids/$1")" 2> /dev/null; }

# wait_for SECONDS WHAT COMMAND…: until the command succeeds.
wait_for() {
    seconds="$1" what="$2"; shift 2
    while ! "$@" > /dev/null 2>&1; do
        seconds=$((seconds - 1))
        if [ "$seconds" -le 0 ]; then say "$what does not answer; see $HOME_DIR/logs"; exit 1; fi
        sleep 1
    done
}

answers() { "$VENV/bin/python" -c 'import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=5)' "$1"; }

# Ask every process of every session that we started to end, and end what is left after 20 seconds.
stop_all() {
    for signal in TERM KILL; do
        for file in "$HOME_DIR"/pids/*; do
            [ -s "$file" ] || continue
            pkill "-$signal" --session "$(cat "$file")" 2> /dev/null || true
        done
        for _ in $(seq 20); do
            left=
            for file in "$HOME_DIR"/pids/*; do
                [ -s "$file" ] && pgrep --session "$(cat "$file")" > /dev/null && left=yes
            done
            [ -n "$left" ] || break
            sleep 1
        done
        [ -n "$left" ] || break
    done
    rm -f "$HOME_DIR"/pids/*
}

# Where the Postgres of this deployment is.
postgres_addresses() {
    PG="${LACUNA_DEPLOY_SOCKETS:-/tmp/lacuna-$NAME-$(id -u)}"  # short: a socket's path may have 107 bytes
    export AIRFLOW__DATABASE__SQL_ALCHEMY_CONN="postgresql+psycopg://lacuna@/airflow?host=$PG"
    export AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC="$AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"
    STATE_URL="postgresql+psycopg://lacuna@/lacuna?host=$PG"
}

# Settings that name the database of Lacuna's state, unless there are others.
default_config() {
    export LACUNA_CONFIG="${LACUNA_CONFIG:-$HOME_DIR/lacuna.toml}"
    [ -e "$LACUNA_CONFIG" ] || printf '[state]\nurl = "%s"\n' "$STATE_URL" > "$LACUNA_CONFIG"
}

# A command of Postgres, in its folder; the server never runs as root.
postgres_does() {
    initdb="$(ls /usr/lib/postgresql/*/bin/initdb 2> /dev/null | sort -V | tail -n 1)"
    tools="$(dirname "$(readlink -f "${initdb:-$(command -v initdb)}")")"
    as=
    if [ "$(id -u)" = 0 ]; then as="setpriv --reuid=65534 --regid=65534 --clear-groups"; fi
    command="$1"; shift
    (cd "$PG" && $as "$tools/$command" "$@")
}

# A Postgres of our own on a socket, with the databases airflow and lacuna.
start_postgres() {
    (umask 077 && mkdir -p "$PG")
    if [ "$(id -u)" = 0 ]; then chown 65534:65534 "$PG"; fi
    if [ ! -d "$PG/data" ]; then
        postgres_does initdb -D "$PG/data" -U lacuna -A trust -E UTF8 --locale=C > /dev/null
    fi
    if ! postgres_does pg_ctl -D "$PG/data" status > /dev/null; then
        options="-c listen_addresses='' -c unix_socket_directories=$PG"
        postgres_does pg_ctl -D "$PG/data" -l "$PG/log" -w start -o "$options" > /dev/null
        say "  started postgres"
    fi
    for database in airflow lacuna; do
        postgres_does createdb -h "$PG" -U lacuna "$database" 2> /dev/null || true
    done
}

stop_postgres() {
    postgres_addresses
    [ ! -d "$PG/data" ] || postgres_does pg_ctl -D "$PG/data" -m fast -w stop > /dev/null || true
}

# The tables of Airflow, the pool of heavy tasks (slots: how many the machine's memory holds), and the DAG itself.
prepare_airflow() {
    airflow db migrate > "$HOME_DIR/logs/migrate.log" 2>&1 || { say "see $HOME_DIR/logs/migrate.log"; exit 1; }
    airflow pools set lacuna "${LACUNA_POOL_SLOTS:-2}" "Lacuna's tasks that read texts" > /dev/null 2>&1
    "$VENV/bin/lacuna" dags --into "$AIRFLOW_HOME/dags"
}
