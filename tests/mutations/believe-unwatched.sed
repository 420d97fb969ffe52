# Memory that has lost its registration (EPERM) passes for not written.
# Tests: unit/query
/^UNINTERRUPTED int ask_kernel\(/,/^}/ {
    s/if \(ret < 0\) return ret;/if (ret < 0) return ret == -EPERM ? (scan->next = scan->end, 0) : (int)ret;/
}
