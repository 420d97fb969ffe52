# The thread that serves faults does not mind memory that was unmapped.
# Tests: unit/vanished
/^static void serve_message\(/,/^}/ s/^    if \(msg->event == UFFD_EVENT_UNMAP\).*$//
