# Memory that could not be prepared becomes accessible all the same.
# Tests: unit-marked/commit
/^NTSTATUS commit_range\(/,/^}/ s/if \((watch_commit\( .* \))\) return STATUS_NO_MEMORY;/\1;/
