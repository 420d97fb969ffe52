# Memory is prepared after the program has got access to it.
# Tests: unit-marked/commit
# Lines: 2
/^NTSTATUS commit_range\(/,/^}/ {
    s/if \(watch_commit\( .* \)\) return STATUS_NO_MEMORY;/NTSTATUS status = set_pages( start, end, state | PAGE_STATE_COMMITTED );/
    s/return set_pages\( .* \);/return !status \&\& watch_commit( (void *)start, end - start ) ? STATUS_NO_MEMORY : status;/
}
