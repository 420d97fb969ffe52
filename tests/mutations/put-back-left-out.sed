# Pages that could not be handed over are forgotten.
# Tests: unit/undo
/^static .*collect_scanned\(/,/^}/ {
    s/while \(count--\) put_back/while (0) put_back/
}
