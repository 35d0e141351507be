/* A plugin whose code runs already while it is loaded, and writes where it has no business. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "bad.h"

static void __attribute__((constructor)) be_early(void)
{
	const char *path = getenv("LYC_TEST_EARLY");
	int fd = path ? open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) : -1;
	if (fd >= 0)
		close(fd);
}
