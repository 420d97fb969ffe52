# A run of a small region is remembered although a reset has begun since.
# Tests: unit/small race/scan
/^note_run|note_run\( atomic_word/,/^}/ s/__atomic_compare_exchange_n\( noted, &old, new, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST \);/(void)old; __atomic_store_n( noted, new, __ATOMIC_SEQ_CST );/
