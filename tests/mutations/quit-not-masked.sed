# While Wine looks at a fault, with a lock held, the thread may be ended.
# Tests: unit/guards
# Lines: 0
/if \(sig == SIGSEGV.*sigaddset/d
