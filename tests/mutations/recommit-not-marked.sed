# Memory that is committed later is not prepared.
# Tests: unit-marked/commit model/scan:marked
/^static NTSTATUS commit_pages\(/,/^}/ {
    s/commit_range\( start, end, state \)/set_pages( start, end, state | PAGE_STATE_COMMITTED )/
}
