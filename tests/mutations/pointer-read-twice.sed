# Wine reads the address of an allocation again, when another thread may have changed it.
# Tests: unit/hooks
/^static NTSTATUS allocate\(/,/^}/ s/status = wine_allocate\( process, &base, zero_bits, &size, type, protect \);/status = wine_allocate( process, ret, zero_bits, \&size, type, protect ); base = *ret;/
