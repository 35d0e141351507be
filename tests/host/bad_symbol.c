/* A shared object that is no plugin. */
#include <lyceum/status.h>

LYC_API int lyc_not_a_plugin(void);

int lyc_not_a_plugin(void)
{
	return 1;
}
