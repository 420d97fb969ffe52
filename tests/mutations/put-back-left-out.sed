# Pages that could not be handed over are forgotten.
# Tests: unit/undo
/^static .*collect_scanned\(/,/^}/ {
    s/for \(; i < count; i\+\+\) put_back/for (; i < 0; i++) put_back/
}
