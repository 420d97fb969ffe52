# What another process asks a suspended thread for is taken for a part of what that thread was at.
# Tests: unit/hooks
# Lines: 0
/^struct thread_state begin_hook/,/^}/ {
/^    decommitting = 0;/d
/^    allocating = ALLOCATION_NONE;/d
}
