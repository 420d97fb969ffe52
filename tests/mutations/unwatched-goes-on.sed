# A signal that came while memory was looked up that is not watched is never sent.
# Tests: unit/guards
/^void leave_uninterrupted_code\(void\)/,/^}/ s/deliver_deferred_signals\(\);//
