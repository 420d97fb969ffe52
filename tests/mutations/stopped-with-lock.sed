# A thread that holds the lock of those who change what is watched may be suspended.
# Tests: wine/stress/suspend
s/ \|\| owned_lock_is_held\(\)//
