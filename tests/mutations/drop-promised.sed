# It is promised that no write is lost where private pages beside shared ones are dropped.
# Tests: unit/capabilities
/^unsigned int userfault_capabilities\(/,/^}/ s/if \(!anonymous \|\| /if (1 || anonymous || /
