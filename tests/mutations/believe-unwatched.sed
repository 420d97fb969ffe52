# Memory that has lost its registration (EPERM) passes for not written.
# Tests: unit/query
/^static .*(scan_collect|ask_kernel)\(/,/^}/ {
    s/if \(ret < 0\) return ret;/if (ret < 0) return ret == -EPERM ? (*next = end, 0) : (int)ret;/
}
