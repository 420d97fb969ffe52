# The status of a fault is not taken from where Wine puts it.
# Tests: wine/conformance/hostile
s/^    unsigned int status = context->uc_mcontext.gregs\[active_hooks->status_register\];/    unsigned int status = context->uc_mcontext.gregs[REG_R9] \& 0;/
