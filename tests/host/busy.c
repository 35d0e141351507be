/* A plugin that has something to finish when it is told to stop: it says no at the fifth question.
 */
#include <lyceum/plugin.h>

static struct lyc_plugin_context *told;

static bool is_busy(void *state)
{
	static int asked;
	(void)state;
	if (++asked < 5)
		return true;
	lyc_log(told, 4, "finished at question %d", asked);
	return false;
}

#define BAD_START (told = context)
#define BAD_BUSY is_busy
#include "bad.h"
