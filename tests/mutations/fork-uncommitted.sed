# In a child what is committed already is not prepared.
# Tests: unit/fork unit/fork_threads
# Seconds: 40
/^static int commit_mapping\(/,/^}/ s/if \(!prot\) return 0;/if (prot) return 0;/
