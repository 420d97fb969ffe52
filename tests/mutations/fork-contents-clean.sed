# In a child pages with contents count as not written.
# Tests: unit/fork unit/fork_threads
# Seconds: 40
/^int userfault_reattach\(/,/^}/ s/PM_PRESENT \| PM_SWAP/PM_SWAP/
