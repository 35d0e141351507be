/* How lyceum-plugin ends, for the host that started it. */
#ifndef LYC_CLIENT_EXIT_CODE_H
#define LYC_CLIENT_EXIT_CODE_H

enum plugin_exit {
	PLUGIN_EXIT_STOPPED = 0,
	/* Wrong arguments. */
	PLUGIN_EXIT_USAGE = 2,
	/* It cannot run as it is: starting it again is no use. */
	PLUGIN_EXIT_REFUSED = 10,
	/* The daemon cannot be reached, or memory ran out: starting it again may help. */
	PLUGIN_EXIT_LOST = 11,
};

/* Its end of the channel to the daemon. */
#define PLUGIN_CHANNEL_FD 3

/* The first line on stderr begins with this instead of a level: how the process is confined. */
#define PLUGIN_CONFINEMENT_MARK '0'
/* The last line of a process that crashed when it had no memory left. */
#define PLUGIN_MEMORY_LINE "its memory limit (memory_limit) is used up"

#endif
