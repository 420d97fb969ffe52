# A tracker that opens waits for ever for a step that a handler has stopped.
# Tests: unit/tracker_waits
# Seconds: 60
/^static int wait_for_steps\(/,/^}/ s/if \(turns < max_turns\)/if (turns < max_turns || 1)/
