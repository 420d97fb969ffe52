# Pages handed over by a call that fails in the end stay reset.
# Tests: unit/undo
/^UNINTERRUPTED .*watch_collect\(/,/^}/ s/if \(ret && reset\) watch_undo/if (0) watch_undo/
