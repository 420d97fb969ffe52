# Of a buffer only the first page is made ready for a system call.
# Tests: model/sigbus
/^static int touch_pages\(/,/^}/ {
    s/if \(second < start \|\| end <= second\) return 0;/if (second) return 0;/
}
