/* A plugin that never comes back from start. */
#include <unistd.h>
#define BAD_START                                                                                  \
	lyc_log(context, 3, "going to hang");                                                      \
	for (;;)                                                                                   \
	pause()
#include "bad.h"
