/*
 * What a plugin's process may take of the machine: memory, descriptors, processes. Set by the
 * process on itself before any of the plugin's code runs, counted from what the runner has by then.
 * A child that it forks has the same limits again; the daemon ends the children with the plugin.
 */
#ifndef LYC_CLIENT_LIMITS_H
#define LYC_CLIENT_LIMITS_H

#include <stdint.h>

#include <lyceum/status.h>

/* Of a plugin whose configuration does not say: 2 GiB. */
#define LIMITS_DEFAULT_MEMORY (2ull << 30)
#define LIMITS_DESCRIPTORS 4096
/* Processes and threads, beyond what the user has running at the start. Does not hold for root. */
#define LIMITS_TASKS 512

/* Private writable memory (RLIMIT_DATA): heap, stacks of threads, anonymous mappings. An allocation
 * beyond it fails; if the process crashes then, its last line is PLUGIN_MEMORY_LINE. memory 0: the
 * default. */
LYC_MUST_USE enum lyc_status limits_set(uint64_t memory, struct lyc_error *error);

#endif
