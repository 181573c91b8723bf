# Serves on a free port: sets URL, and stops the server when the script ends.
serve() {
    : >server.log
    apportion serve --listen 127.0.0.1:0 "$@" >>server.log 2>&1 &
    server=$!
    trap 'kill "$server"' EXIT
    until grep -q 'listening on' server.log; do kill -0 "$server" || { cat server.log; exit 1; }; sleep 0.05; done
    URL=$(grep -o 'http://[0-9.:]*' server.log | head -n 1)
}

# Asks it, and shows the status and the answer without its id.
ask() { curl -sS -w '\nstatus %{http_code}\n' "$@" | sed 's/"request_id":"[^"]*"/"request_id":"…"/'; }
