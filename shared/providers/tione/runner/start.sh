#!/bin/sh
# The container's start command. The runner takes this process's place, so that it hears SIGTERM.
exec "$(command -v python3 || command -v python)" "$(dirname "$0")/runner.py" "$@"
