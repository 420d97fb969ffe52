# Vectors of 1024 entries, after which walk_end is stale.
# Tests: unit/query race/scan
# Lines: 2
s/^#define MAX_RUNS +341$/#define MAX_RUNS 1024/
/^UNINTERRUPTED int ask_kernel\(/,/^}/ s/= scan->len < 512 \? scan->len : 512;/= scan->len;/
