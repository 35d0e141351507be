/* The clock of the machine is read here and nowhere else. */
#include "moment.h"

#include <time.h>

#include <lyceum/plugin.h>

int64_t moment_now_ms(void)
{
	return lyc_wall_ms();
}

static char *write(struct pad *pad, int64_t ms, const char *format)
{
	char text[40] = "";
	struct tm parts;
	time_t seconds = (time_t)(ms / 1000);

	if (ms != 0 && gmtime_r(&seconds, &parts))
		strftime(text, sizeof(text), format, &parts);
	return pad_copy(pad, text);
}

char *moment_day(struct pad *pad, int64_t ms)
{
	return write(pad, ms, "%Y-%m-%d");
}

char *moment_minute(struct pad *pad, int64_t ms)
{
	return write(pad, ms, "%Y-%m-%d %H:%M");
}
