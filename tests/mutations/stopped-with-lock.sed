# A thread that holds the change lock may be suspended.
# Tests: wine/stress/suspend
s/ \|\| owned_lock_is_held\(\)//
