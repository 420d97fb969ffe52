# Who had to wait for a lock does not say that others may wait.
# Tests: unit/owned_lock
# Seconds: 20
s/change_owner\( 0, self \| FUTEX_WAITERS \)/change_owner( 0, self )/
