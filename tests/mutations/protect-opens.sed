# VirtualProtect opens pages with the mprotect backend without marking them.
# Tests: model/mprotect
/^static int mprotect_protect\(/,/^}/ s/real_protection\( prot \| armed \)/real_protection( prot )/
